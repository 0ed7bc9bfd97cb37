"""Typed-in conversations and operations for the recorder's tests."""

import itertools
from collections.abc import Iterable
from typing import Any

from mailrace.model.attempt import Outcome
from mailrace.record.recorded import Begun, Connected, Ended, Held, Line, NotSeen, Recorded
from mailrace.record.suite import Suite
from mailrace.record.watch import Teller, outcome_of_code

BEGUN = Begun(mailrace="0", started="2026-01-01T00:00:00.000+00:00", t_ns=0, target="t", version="1.33.1")
ENDED = Ended(t_ns=10**12, is_store_known=True)
MS = 1_000_000
NUMBERS = itertools.count(1)


class Told:
    """Takes what a watch tells."""

    def __init__(self) -> None:
        self.operations: list[Recorded] = []
        self.notes: list[NotSeen] = []
        self.teller = Teller(1, self._tell, itertools.count(1).__next__)

    def _tell(self, line: Recorded | NotSeen) -> None:
        if isinstance(line, Recorded):
            self.operations.append(line)
        else:
            self.notes.append(line)


def op(
    kind: str, at_ms: float, *, connection: int = 1, for_ms: float = 1.0, code: int = 250, **about: Any
) -> Recorded:
    """An operation of a process whose connection has its number."""
    return Recorded(
        number=next(NUMBERS),
        connection=connection,
        kind=kind,
        invoked_ns=int(at_ms * MS),
        completed_ns=int((at_ms + for_ms) * MS),
        outcome=about.pop("outcome", outcome_of_code(code)),
        code=code,
        **about,
    )


def send(at_ms: float, key: str, *, connection: int = 1, code: int = 250, **about: Any) -> Recorded:
    """A mail whose Message-ID, digest, recipient and server ID all come from its key."""
    return op(
        "send",
        at_ms,
        connection=connection,
        code=code,
        message_id=about.pop("message_id", f"{key}@x"),
        digest=about.pop("digest", f"digest-{key}"),
        recipients=(recipients := about.pop("recipients", (f"{key}@a.test",))),
        to=about.pop("to", recipients),
        queued_as=about.pop("queued_as", f"ID-{key}" if code < 400 else ""),
        **about,
    )


def suite(
    operations: Iterable[Recorded],
    held: Iterable[str] = (),
    tags: Iterable[str] = (),
    begun: Begun = BEGUN,
    ended: Ended | None = ENDED,
    more: Iterable[Line] = (),
) -> Suite:
    """The suite of these operations; connection N belongs to process N. `held`: keys of mails."""
    operations = tuple(operations)
    connections = {one.connection for one in operations}
    lines: list[Line] = [begun]
    lines += [Connected(connection=c, protocol="smtp", t_ns=0, pid=c, process=f"p{c}") for c in connections]
    lines += operations
    lines += [
        Held(id=f"ID-{key}", message_id=f"{key}@x", recipients=(f"{key}@a.test",), tags=tuple(tags))
        for key in held
    ]
    return Suite([*lines, *more, *([ended] if ended is not None else [])])


FAIL = Outcome.FAIL
