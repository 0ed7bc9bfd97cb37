"""Faults in what is stored of a mail, and in what its sender is told of it."""

import re
from collections.abc import Callable
from typing import Any

from mailrace.embedded.mailbox import Mailbox
from planting import Meet, around, fault

_SUBJECT = re.compile(rb"(?im)^Subject:.*\r\n")
_FROM = re.compile(rb"(?im)^From:.*\r\n")


def _with_body_of(raw: bytes, other: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + other.partition(b"\r\n\r\n")[2]


def _with_subject_of(raw: bytes, other: bytes) -> bytes:
    subject = _SUBJECT.search(other)
    return _SUBJECT.sub(lambda _: subject[0], raw, count=1) if subject else raw


def _mixed(meet: Meet, mix: Callable[[bytes, bytes], bytes]) -> None:
    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, sender: str, to: Any, raw: bytes, *rest: Any) -> str:
        async with meet(mailbox, raw) as others:
            return await inner(mailbox, sender, to, mix(raw, others[0]) if others else raw, *rest)


@fault
def swapped_bodies(meet: Meet) -> None:
    """Two mails that arrive together: one or both are stored with the other's body under their own header."""
    _mixed(meet, _with_body_of)


@fault
def swapped_subjects(meet: Meet) -> None:
    """Two mails that arrive together: one or both are stored with the other's Subject."""
    _mixed(meet, _with_subject_of)


@fault
def empty_from(meet: Meet) -> None:
    """A mail that arrives while another is stored is kept without its From."""
    _mixed(meet, lambda raw, other: _FROM.sub(b"From: \r\n", raw, count=1))


@fault
def same_id_told_twice(meet: Meet) -> None:
    """Of two mails that arrive together, the one that is stored later is told the ID of the other."""
    told: list[str] = []

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"") as others:
            message = await inner(mailbox, *rest)
            told.append(message)
            return told[-2] if others and len(told) > 1 else message
