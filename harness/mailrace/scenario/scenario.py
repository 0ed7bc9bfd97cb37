"""What a scenario file says, as one strict, frozen model; and what a server must be started with for it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr

from mailrace.model.choices import ROUNDS_MAX, Profile
from mailrace.model.operation import OPERATIONS, ServerOptions
from mailrace.scenario.actor import BODY_BYTES_MAX, Actor, Strict
from mailrace.scenario.texts import GivenName, Name, Sentence, SharedTag, Title, VersionRule


class Given(Strict):
    """Messages that are in the store before each round; `count` of them under one name."""

    name: GivenName | None = Field(None, description="How actors refer to it.")
    tags: tuple[SharedTag, ...] = Field((), max_length=50, description="Its tags.")
    count: int = Field(1, ge=1, le=99, description="How many such messages.")
    body_bytes: int = Field(120, ge=0, le=BODY_BYTES_MAX, description="Length of the body in bytes.")
    image_bytes: int = Field(
        0, ge=0, le=BODY_BYTES_MAX, description="Size in bytes of an image that is attached; 0: none."
    )


class Release(Strict):
    """Where every actor is held, and how all are let go. `free` ignores the other two."""

    at: Literal["connect", "mail", "rcpt", "data", "last-byte", "free"] = Field(
        "last-byte", description="The point of hold; free: nobody is held, as in a race written by hand."
    )
    profile: Profile = Field(
        "rate",
        description="rate: 20 ms of quiet before each release; throughput: 0.2 ms, so more rounds a second.",
    )
    offsets_us: Literal["auto"] | tuple[float, float] = Field(
        "auto", description="Range in which the actors' offsets are drawn, in µs; auto: it follows the hits."
    )


class Retry(Strict):
    """What a client does after a failure."""

    policy: Literal["none", "naive", "new-id", "reconcile"] = Field(
        "none",
        description="naive: the same message again; new-id: under a new Message-ID;"
        " reconcile: only if the store has no copy.",
    )
    on: tuple[Literal["4xx", "5xx", "unknown"], ...] = Field(
        ("4xx",), min_length=1, max_length=3, description="Outcomes after which it tries again."
    )
    attempts: int = Field(2, ge=1, le=10, description="Tries in all, the raced one included.")
    wait_ms: float = Field(5.0, ge=0, le=60_000, description="Wait before each further try, in ms.")


class Control(Strict):
    """A race known to be there; for what is left out, the run's own value stands."""

    target: str | None = Field(None, min_length=1, description="A known-bad target, such as mailpit@1.17.0.")
    scenario: Name | None = Field(None, description="Another scenario, by its name.")


class TargetSpec(Strict):
    """What a server of ours is started with for this scenario."""

    ignore_duplicate_ids: bool = Field(False, description="--ignore-duplicate-ids")
    tags_disable: tuple[Literal["plus-addresses", "x-tags"], ...] = Field(
        (), max_length=2, description="--tags-disable (from 1.19.0)"
    )
    instances: int = Field(1, ge=1, le=8, description="Servers on one store; senders are spread over them.")
    fresh: bool = Field(False, description="A server of its own for this scenario, new after each hang.")


class Scenario(Strict):
    """One scenario file. `load` makes it; the rules between its keys hold in what `load` returns."""

    name: Name = Field(description="Its name, by which controls refer to it.")
    title: Title = Field("", description="What races what, in a few words; left out: its name.")
    source: Sentence = Field("", description="Where it is known from.")
    what: Sentence = Field("", description="What it shows, in a sentence.")
    given: tuple[Given, ...] = Field((), max_length=50, description="What is stored before each round.")
    actors: tuple[Actor, ...] = Field(min_length=1, max_length=64, description="Who acts in parallel.")
    rounds: int = Field(100, ge=1, le=ROUNDS_MAX, description="How many rounds.")
    release: Release = Field(default_factory=Release, description="Hold and release.")
    retry: Retry = Field(default_factory=Retry, description="What a sender does after a failure.")
    after_failure: Literal["reset", "reconnect", "nothing"] = Field(
        "reset", description="What a session does after a failed DATA."
    )
    controls: tuple[Control, ...] = Field((), max_length=16, description="Known-bad runs, strongest first.")
    target: TargetSpec = Field(default_factory=TargetSpec, description="Options of a server of ours.")
    needs: VersionRule = Field(
        "",
        description='Versions that it applies to, such as ">=1.19.0"; left out: all that have what it asks.',
    )

    _file: Path | None = PrivateAttr(None)
    _contents: dict[str, bytes] = PrivateAttr(default_factory=dict)

    @property
    def file(self) -> Path | None:
        """The file it was loaded from; None for one made in Python."""
        return self._file

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The users' own message files that it names, by the name written in it."""
        return self._contents

    @property
    def actor_count(self) -> int:
        """How many actors act in a round."""
        return sum(actor.spec.count for actor in self.actors)

    def as_data(self) -> dict[str, object]:
        """What was written, as plain data: `scenario_from` makes the same scenario of it."""
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def digest(self) -> str:
        """SHA-256 of what a round of it does, message files included: equal digests, equal rounds."""
        without_effect = {"title", "source", "what", "rounds"}
        text = json.dumps(self.model_dump(mode="json", exclude=without_effect), sort_keys=True).encode()
        files = b"".join(sha256(held).digest() for _, held in sorted(self._contents.items()))
        return sha256(text + files).hexdigest()

    def with_source(self, file: Path | None, contents: Mapping[str, bytes]) -> "Scenario":
        """The same scenario, which now knows its file and the message files that it names."""
        twin = self.model_copy()
        twin._file = file
        twin._contents = dict(contents)
        return twin


def server_options(scenario: Scenario) -> ServerOptions:
    """What a managed or embedded server must be started with for this scenario."""
    target = scenario.target
    return ServerOptions(
        ignore_duplicate_ids=target.ignore_duplicate_ids,
        tags_disable=target.tags_disable,
        instances=target.instances,
        pop3=any(OPERATIONS[actor.kind].protocol == "pop3" for actor in scenario.actors),
        relay=any(actor.release is not None for actor in scenario.actors),
    )
