"""Faults in what is stored of a mail, and in what its sender is told of it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mailrace.embedded import storing
from mailrace.embedded.mailbox import Mailbox
from mailrace.embedded.message import Mail, parse
from mailrace.embedded.storing import Row, new_id
from planting import Meet, around, fault, met

_SUBJECT = re.compile(rb"(?im)^Subject:.*\r\n")
_FROM = re.compile(rb"(?im)^From:.*\r\n")


def _with_body_of(raw: bytes, other: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + other.partition(b"\r\n\r\n")[2]


def _with_subject_of(raw: bytes, other: bytes) -> bytes:
    subject = _SUBJECT.search(other)
    return _SUBJECT.sub(lambda _: subject[0], raw, count=1) if subject else raw


def _stored_mixed(meet: Meet, mix: Callable[[bytes, bytes], bytes]) -> None:
    """A mail that meets another is stored, row and source alike, as `mix` makes it of both."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, sender: str, to: Any, raw: bytes, *rest: Any) -> str:
        async with meet(mailbox, raw) as others:
            return await inner(mailbox, sender, to, mix(raw, others[0]) if others else raw, *rest)


def _row_mixed(meet: Meet, mix: Callable[[Row, Mail], Row]) -> None:
    """A mail that meets another has the row that `mix` makes; its source is as it was sent."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, sender: str, to: Any, raw: bytes, *rest: Any) -> str:
        async with meet(mailbox, raw) as others:
            met.set(others)
            return await inner(mailbox, sender, to, raw, *rest)

    @around(storing, "row_of")
    def row_of(inner: Any, *given: Any) -> Row:
        others = met.get()
        return mix(inner(*given), parse(others[0])) if others else inner(*given)


@fault
def swapped_bodies(meet: Meet) -> None:
    """Two mails that arrive together: one or both are stored with the other's body under their own header."""
    _stored_mixed(meet, _with_body_of)


@fault
def swapped_subjects(meet: Meet) -> None:
    """Two mails that arrive together: one or both are stored with the other's Subject."""
    _stored_mixed(meet, _with_subject_of)


@fault
def empty_from(meet: Meet) -> None:
    """A mail that arrives while another is stored is kept without its From."""
    _stored_mixed(meet, lambda raw, other: _FROM.sub(b"From: \r\n", raw, count=1))


@fault
def body_in_source_only(meet: Meet) -> None:
    """Two mails that arrive together: lists are right, and the source holds the body of the other."""
    _row_mixed(meet, lambda row, other: row)

    @around(storing, "_insert")
    async def insert(inner: Any, db: Any, version: Any, row: Row, raw: bytes) -> None:
        await inner(db, version, row, _with_body_of(raw, met.get()[0]) if met.get() else raw)


@fault
def subject_in_lists_only(meet: Meet) -> None:
    """Two mails that arrive together: lists show the other's Subject, and the source is right."""
    _row_mixed(meet, lambda row, other: replace(row, subject=other.header.text("Subject")))


@fault
def message_id_in_lists_only(meet: Meet) -> None:
    """Two mails that arrive together: lists show the other's Message-ID."""
    _row_mixed(meet, lambda row, other: replace(row, message_id=other.message_id))


@fault
def snippet_of_another(meet: Meet) -> None:
    """Two mails that arrive together: lists show the first words of the other."""
    _row_mixed(meet, lambda row, other: replace(row, snippet=other.snippet()))


@fault
def size_wrong(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed one byte too long."""
    _row_mixed(meet, lambda row, other: replace(row, size_bytes=row.size_bytes + 1))


@fault
def found_by_the_words_of_another(meet: Meet) -> None:
    """Two mails that arrive together: a search for the words of one finds the other."""
    _row_mixed(meet, lambda row, other: replace(row, search_text=other.search_text()))


@fault
def found_by_no_words(meet: Meet) -> None:
    """A mail that arrives while another is stored is found by none of its words."""
    _row_mixed(meet, lambda row, other: replace(row, search_text=""))


@fault
def arrival_an_hour_early(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed as an hour older, so not at the top."""
    _row_mixed(meet, lambda row, other: replace(row, created_ms=row.created_ms - 3_600_000))


def _with_metadata(row: Row, **changed: object) -> Row:
    return replace(row, metadata=json.dumps({**json.loads(row.metadata), **changed}))


@fault
def no_sender_in_lists(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed with an empty From."""
    _row_mixed(meet, lambda row, other: _with_metadata(row, From={"Name": "", "Address": ""}))


@fault
def other_sender_in_lists(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed as sent by somebody else."""
    nobody = {"Name": "", "Address": "nobody@elsewhere.test"}
    _row_mixed(meet, lambda row, other: _with_metadata(row, From=nobody))


@fault
def no_recipient_in_lists(meet: Meet) -> None:
    """A mail that arrives while another is stored is listed as sent to nobody."""
    _row_mixed(meet, lambda row, other: _with_metadata(row, To=[]))


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


@fault
def no_such_id_told(meet: Meet) -> None:
    """A mail that arrives while another is stored is told an ID that is nobody's."""

    @around(Mailbox, "accept")
    async def accept(inner: Any, mailbox: Mailbox, *rest: Any) -> str:
        async with meet(mailbox, b"") as others:
            message = await inner(mailbox, *rest)
            return new_id() if others else message
