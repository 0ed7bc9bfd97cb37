"""A verifier and rounds of its plan on a target that holds what a test puts there: no server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from mailrace.history import Journal
from mailrace.model.attempt import Outcome, RoundRecord, Stored, StoredMessage, Word
from mailrace.model.operation import Send, ServerOptions
from mailrace.model.target import Target
from mailrace.race.verify import Verifier
from mailrace.scenario import Plan, scenario_from

from tests import built

RUN = "mrabcd1234"


class FakeTarget:
    """Holds the rows that a test puts there; all but `unfound` can be found, and none has a source."""

    def __init__(self, *, is_ours: bool = True) -> None:
        self.is_ours = is_ours
        self.rows: list[StoredMessage] = []
        self.process = 1
        self.looks = 0
        self.unfound = ""
        self.asked: list[str] = []

    def stored(self, domain: str) -> Stored:
        self.looks += 1
        return Stored(messages=tuple(self.rows), tags=())

    def source(self, row_id: str) -> bytes:
        return b""

    def search(self, query: str) -> tuple[str, ...]:
        self.asked.append(query)
        words = query.strip('"')
        texts = {row.id: f"{row.key}@{RUN}.test {row.key} the quick" for row in self.rows}
        return tuple(i for i, text in texts.items() if words in text and i != self.unfound)

    def relayed(self) -> tuple[bytes, ...]:
        return ()

    def disagreements(self, *_: object) -> tuple[()]:
        return ()

    def log_since(self, t_ns: int) -> tuple[()]:
        return ()

    def pid(self) -> int | None:
        return self.process if self.is_ours else None

    def liveness(self, timeout_s: float) -> str:
        return "alive"

    def empty(self) -> None:
        self.rows.clear()


class Rounds:
    """A verifier, and rounds of its plan one after the other, each a block of its own."""

    def __init__(
        self,
        folder: Path,
        actors: Sequence[dict[str, Any]],
        *,
        is_ours: bool = True,
        closely_max: int = 1_000,
    ) -> None:
        text = {"name": "s", "title": "t", "actors": list(actors), "rounds": 10, "needs": ">=1.19.0"}
        self.plan = Plan(scenario_from(text, folder), 1, RUN)
        self.target = FakeTarget(is_ours=is_ours)
        self.journal = Journal(folder / "history.jsonl")
        target = cast(Target, self.target)
        self.verifier = Verifier(self.plan, ServerOptions(), target, self.journal, closely_max)
        self.index = -1

    def record(self, outcome: Outcome = Outcome.OK) -> RoundRecord:
        """The next round: every operation was answered so."""
        self.index += 1
        planned = self.plan.round(self.index)
        attempts = [
            built.attempt(
                operation.key,
                outcome,
                round=self.index,
                actor=actor,
                message=operation.message.key if isinstance(operation, Send) else None,
                word=Word.ACCEPTED,
                code=250,
            )
            for actor, operation in enumerate(planned.operations)
        ]
        return built.record(index=self.index, plan=planned, attempts=tuple(attempts))

    def look(self, record: RoundRecord) -> Stored:
        (seen,) = self.verifier.look([record], "target")
        assert seen.stored is not None
        return seen.stored

    def stores(self, record: RoundRecord, *tags: str) -> list[StoredMessage]:
        """The copies of the round's mails, newest first, put into the store."""
        sent = [o.message for o in record.plan.operations if isinstance(o, Send)]
        rows = [built.row(message, *tags) for message in sent]
        self.target.rows[:0] = rows
        return rows
