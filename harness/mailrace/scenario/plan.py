"""A scenario, a seed and a run token in; the rounds as frozen values out. Pure: no clock, socket or file."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Message,
    Operation,
    PlannedRound,
    Read,
    RenameTag,
    Send,
    SetTags,
)
from mailrace.scenario import actor as spec
from mailrace.scenario.scenario import Scenario
from mailrace.scenario.templates import expand

INDEX_MAX = 99_999
"""The last round that has a token of its own: tokens are of fixed length, so that none is part of another."""

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
                    address=entry.name or mark,
                    x_tags=self._texts(entry.tags),
                    body_bytes=entry.body_bytes,
                )
                messages.append(message)
                if entry.name is not None:
                    self._keys_by_name.setdefault(entry.name, []).append(message.key)
        return tuple(messages)

    def _operation(self, kind: str, asked: spec.Spec, number: int) -> Operation:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        key = f"{kind}.{self._counts[kind]}"
        match asked:
            case spec.SendActor():
                return self._send(key, asked, number)
            case spec.DeleteActor():
                return Delete(key=key, messages=self._named(asked.messages))
            case spec.DeleteSearchActor():
                return DeleteSearch(key=key, query=self._text(asked.query))
            case spec.DeleteAllActor():
                return DeleteAll(key=key)
            case spec.SetTagsActor():
                return SetTags(key=key, messages=self._named(asked.messages), tags=self._texts(asked.tags))
            case spec.RenameTagActor():
                return RenameTag(key=key, tag=self._text(asked.tag), to=self._text(asked.to))
            case spec.DeleteTagActor():
                return DeleteTag(key=key, tag=self._text(asked.tag))
            case spec.ReadActor():
                return Read(key=key, path=self._text(asked.path), times=asked.times)

    def _send(self, key: str, asked: spec.SendActor, number: int) -> Send:
        self._senders += 1
        mark = f"s{self._senders:02d}"
        tags = tuple(expand(tag, {**self._values, "sender": mark}) for tag in asked.tags)
        if asked.tag_case == "vary":
            tags = tuple(respelt(tag, number) for tag in tags)
        message = self._message(
            mark,
            address=mark,
            plus_tags=tags if asked.tags_via != "x-tags" else (),
            x_tags=tags if asked.tags_via != "plus" else (),
            body_bytes=asked.body_bytes,
            is_shared=asked.message_id == "shared",
            file_sha256=self._plan._digests[asked.file] if asked.file is not None else None,
            recipients=asked.recipients,
            bcc=asked.bcc,
            headers=tuple(asked.headers.items()),
        )
        lead_mark = f"l{self._senders:02d}"
        lead = self._message(lead_mark, address=lead_mark, malformed=True) if asked.lead is not None else None
        return Send(
            key=key, message=message, via=asked.via, lead=lead, ignore_mail_reply=asked.ignore_mail_reply
        )

    def _message(
        self,
        mark: str,
        *,
        address: str,
        x_tags: tuple[str, ...] = (),
        plus_tags: tuple[str, ...] = (),
        body_bytes: int = 120,
        is_shared: bool = False,
        file_sha256: str | None = None,
        recipients: int = 1,
        bcc: int = 0,
        headers: tuple[tuple[str, str], ...] = (),
        malformed: bool = False,
    ) -> Message:
        domain = self._plan.domain
        key = f"{self._token}{mark}"
        local = f"{self._token}.{address}"
        first = "+".join([local, *plus_tags])
        return Message(
            key=key,
            domain=domain,
            message_id=self._shared_id if is_shared else f"{key}.{self._salt()}@{domain}",
            to=(f"{first}@{domain}", *(f"{local}.t{n:02d}@{domain}" for n in range(2, recipients + 1))),
            bcc=tuple(f"{local}.b{n:02d}@{domain}" for n in range(1, bcc + 1)),
            x_tags=x_tags,
            plus_tags=plus_tags,
            subject=f"mailrace {self._plan.run} {self._token} {mark}",
            body_bytes=body_bytes,
            file_sha256=file_sha256,
            headers=headers,
            malformed=malformed,
        )

    def _salt(self) -> str:
        return "".join(self._random.choices(_ALPHABET, k=8))

    def _named(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for name in names for key in self._keys_by_name[name])

    def _text(self, text: str) -> str:
        return expand(text, self._values)

    def _texts(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._text(text) for text in texts)


def respelt(tag: str, number: int) -> str:
    """The tag in spelling `number` (0: as written): its letters change case as the bits of the number say.

    Spellings are equal to the server and differ from each other as long as the tag has letters enough.
    """
    letters = []
    for letter in tag:
        if letter.isascii() and letter.isalpha():
            letters.append(letter.swapcase() if number & 1 else letter)
            number >>= 1
        else:
            letters.append(letter)
    return "".join(letters)
