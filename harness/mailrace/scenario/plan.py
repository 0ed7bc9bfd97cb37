"""Takes a scenario, a seed and a run token; gives frozen rounds. Pure: no clock, socket or file."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from mailrace.model.operation import OPERATIONS, Message, Operation, PlannedRound, Send, respelt
from mailrace.model.user_mail import user_mail
from mailrace.scenario import actor as spec
from mailrace.scenario.scenario import Scenario
from mailrace.scenario.templates import LONGEST, expand
from mailrace.scenario.texts import LOCAL_PART_MAX, TAG_LENGTH_MAX

INDEX_MAX = 99_999
"""The last round that has a token of its own: tokens have one length, so that none is part of another."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_run(seed_bytes: bytes) -> str:
    """A run token, `mr` and 8 of a-z and 0-9, from random bytes (the same bytes give the same token)."""
    number = int.from_bytes(hashlib.sha256(seed_bytes).digest(), "big")
    letters = []
    for _ in range(8):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "mr" + "".join(letters)


def round_token(index: int) -> str:
    """`r00041`, the part of round 41 in its keys, addresses and tags."""
    if not 0 <= index <= INDEX_MAX:
        raise ValueError(f"round {index} has no token; rounds go from 0 to {INDEX_MAX}")
    return f"r{index:05d}"


@dataclass(frozen=True)
class Plan:
    """What a run will do, drawn with a seed.

    scenario   from `load`
    seed       any whole number; another seed gives other Message-IDs
    run        the run's token, from `new_run`; two plans on one server at one time need two
    """

    scenario: Scenario
    seed: int
    run: str
    _digests: Mapping[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in self.scenario.contents.items()}
        object.__setattr__(self, "_digests", digests)

    @property
    def domain(self) -> str:
        """The run's own recipient domain."""
        return f"{self.run}.test"

    @cached_property
    def contents(self) -> Mapping[str, bytes]:
        """The users' own message files by SHA-256."""
        return {self._digests[name]: raw for name, raw in self.scenario.contents.items()}

    def round(self, index: int) -> PlannedRound:
        """Round `index` (0 to 99,999): the same for the same plan, whatever other rounds were asked for."""
        return _Draft(self, index).round()


def any_round(scenario: Scenario) -> PlannedRound:
    """A round of no run; all rounds of a scenario are like it, up to names and salts."""
    return Plan(scenario, 0, LONGEST["run"]).round(0)


class _Draft:
    """One round while it is drawn."""

    def __init__(self, plan: Plan, index: int) -> None:
        self._plan = plan
        self._index = index
        self._token = round_token(index)
        self._random = random.Random(f"{plan.seed}/{plan.scenario.name}/{index}")
        self._values = {"run": plan.run, "round": self._token}
        self._shared_id = f"{self._token}.shared.{self._salt()}@{plan.domain}"
        self._keys_by_name: dict[str, list[str]] = {}
        self._senders = 0
        self._counts: dict[str, int] = {}

    def round(self) -> PlannedRound:
        given = self._given()
        operations = tuple(
            self._operation(actor.kind, actor.spec, number)
            for actor in self._plan.scenario.actors
            for number in range(actor.spec.count)
        )
        return PlannedRound(index=self._index, token=self._token, given=given, operations=operations)

    def _given(self) -> tuple[Message, ...]:
        messages: list[Message] = []
        for entry in self._plan.scenario.given:
            for _ in range(entry.count):
                mark = f"g{len(messages) + 1:02d}"
                message = self._message(
                    mark,
                    entry.name or mark,
                    x_tags=self._texts(entry.tags),
                    body_bytes=entry.body_bytes,
                    image_bytes=entry.image_bytes,
                )
                messages.append(message)
                if entry.name is not None:
                    self._keys_by_name.setdefault(entry.name, []).append(message.key)
        return tuple(messages)

    def _operation(self, kind: str, asked: spec.Many, number: int) -> Operation:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        key = f"{kind}.{self._counts[kind]}"
        if isinstance(asked, spec.SendActor):
            return self._send(key, asked, number)
        # All fields of an actor except its count are fields of its operation.
        fields: dict[str, Any] = {
            name: self._value(name, value) for name, value in asked if name != "count" and value is not None
        }
        return OPERATIONS[kind](key=key, **fields)

    def _value(self, name: str, value: Any) -> Any:
        if name == "messages":
            return self._named(value)
        if name == "message":
            return self._named((value,))[0]
        if isinstance(value, str):
            return self._text(value)
        return self._texts(value) if isinstance(value, tuple) else value

    def _send(self, key: str, asked: spec.SendActor, number: int) -> Send:
        self._senders += 1
        mark = f"s{self._senders:02d}"
        tags = tuple(expand(tag, {**self._values, "sender": mark}) for tag in asked.tags)
        if asked.tag_case == "vary":
            tags = tuple(respelt(tag, number) for tag in tags)
        message = self._message(
            mark,
            mark,
            plus_tags=tags if asked.tags_via != "x-tags" else (),
            x_tags=tags if asked.tags_via != "plus" else (),
            body_bytes=asked.body_bytes,
            message_id=self._shared_id if asked.message_id == "shared" else "",
            headers=tuple(asked.headers.items()),
        )
        message = self._addressed(message, asked)
        if asked.file is not None:
            message = self._of_file(message, asked.file, _kept if asked.keep_tags else self._of_round)
        lead_mark = f"l{self._senders:02d}"
        lead = self._message(lead_mark, lead_mark, malformed=True) if asked.lead is not None else None
        return Send(
            key=key, message=message, via=asked.via, lead=lead, ignore_mail_reply=asked.ignore_mail_reply
        )

    def _message(self, mark: str, address: str, **of: Any) -> Message:
        """A message to one address, which holds its plus-tags; `of` are further fields of it."""
        domain = self._plan.domain
        key = f"{self._token}{mark}"
        local = "+".join([f"{self._token}.{address}", *of.get("plus_tags", ())])
        subject = f"mailrace {self._plan.run} {self._token} {mark}"
        of["message_id"] = of.get("message_id") or f"{key}.{self._salt()}@{domain}"
        return Message(key=key, domain=domain, to=(f"{local}@{domain}",), subject=subject, **of)

    def _addressed(self, message: Message, asked: spec.SendActor) -> Message:
        """The message with all recipients that are asked for."""
        first, local = message.to[0], message.to[0].partition("@")[0].partition("+")[0]

        def more(letter: str, numbers: range) -> tuple[str, ...]:
            return tuple(f"{local}.{letter}{n:02d}@{message.domain}" for n in numbers)

        return replace(
            message,
            to=(first, *more("t", range(2, asked.recipients + 1))),
            cc=(*((first,) if asked.to_in_cc else ()), *more("c", range(1, asked.cc + 1))),
            bcc=more("b", range(1, asked.bcc + 1)),
        )

    def _of_file(self, message: Message, name: str, spelling: Callable[[str, int], str]) -> Message:
        """The message with the bytes of a file, and with the tags that it asks for, each spelt by `spelling`.

        A tag of the file is made the round's own, because as it stands it would be new to the server only
        once. A plus-address of the file becomes a recipient of ours with the same tag: one address for each
        tag.
        """
        own = user_mail(self._plan.scenario.contents[name])
        local = message.to[0].partition("@")[0].partition("+")[0]
        found: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
        spelt: dict[str, str] = {}
        # A tag gets one address even where the file asks for it in several places. `spelt` has the tags in
        # the order in which they were first seen; a tag's place in it numbers its address.
        for plus in own.plus:
            head = f"{local}.p{len(spelt) + 1:02d}+"
            room = LOCAL_PART_MAX - len(head)
            tag = spelt.setdefault(plus.tag, spelling(plus.tag, room))
            address = f"{local}.p{list(spelt).index(plus.tag) + 1:02d}+{tag}@{message.domain}"
            found[plus.place].append(address)
        return replace(
            message,
            file_sha256=self._plan._digests[name],
            x_tags=(*message.x_tags, *(spelling(tag, TAG_LENGTH_MAX) for tag in own.x_tags)),
            plus_tags=(*message.plus_tags, *spelt.values()),
            to=tuple(dict.fromkeys((*message.to, *found["to"]))),
            cc=tuple(dict.fromkeys((*message.cc, *found["cc"]))),
            bcc=tuple(dict.fromkeys((*message.bcc, *found["bcc"]))),
        )

    def _of_round(self, tag: str, room: int) -> str:
        """A file's tag as this round asks for it, in at most `room` characters; its beginning is cut off."""
        own = f"-{self._plan.run}-{self._token}"
        return f"{tag[: room - len(own)]}{own}"

    def _salt(self) -> str:
        return "".join(self._random.choices(_ALPHABET, k=8))

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for name in names for key in self._keys_by_name[name])

    def _text(self, text: str) -> str:
        return expand(text, self._values)

    def _texts(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._text(text) for text in texts)


def _kept(tag: str, _: int) -> str:
    """A file's tag as the file has it."""
    return tag
