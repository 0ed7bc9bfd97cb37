"""What the store holds is given to its rounds, and rows of earlier blocks are looked at again: no server."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from mailrace.history import Journal
from mailrace.model.attempt import Outcome, RoundRecord, Stored, StoredMessage, Word
from mailrace.model.operation import Send, ServerOptions
from mailrace.model.target import Target
from mailrace.race.verify import EMPTY_ABOVE, SERIAL, Verifier
from mailrace.scenario import Plan, scenario_from
from mailrace.targets.views import GONE_MAX

from tests import built

RUN = "mrabcd1234"


class FakeTarget:
    """Holds the rows that a test puts there; every one of them can be found and has no source."""

    def __init__(self, *, is_ours: bool = True) -> None:
        self.is_ours = is_ours
        self.rows: list[StoredMessage] = []
        self.process = 1
        self.looks = 0

    def stored(self, domain: str) -> Stored:
        self.looks += 1
        return Stored(messages=tuple(self.rows), tags=())

    def source(self, row_id: str) -> bytes:
        return b""

    def search(self, query: str) -> tuple[str, ...]:
        return tuple(row.id for row in self.rows if row.key in query)

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

    def __init__(self, folder: Path, actors: Sequence[dict[str, Any]], *, is_ours: bool = True) -> None:
        text = {"name": "s", "title": "t", "actors": list(actors), "rounds": 10, "needs": ">=1.19.0"}
        self.plan = Plan(scenario_from(text, folder), 1, RUN)
        self.target = FakeTarget(is_ours=is_ours)
        self.journal = Journal(folder / "history.jsonl")
        self.verifier = Verifier(self.plan, ServerOptions(), cast(Target, self.target), self.journal)
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


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rounds]]:
    """Makes a `Rounds` with those actors; its journal is closed at the end."""
    made: list[Rounds] = []

    def rounds(*actors: dict[str, Any], is_ours: bool = True) -> Rounds:
        made.append(Rounds(tmp_path, actors, is_ours=is_ours))
        return made[-1]

    yield rounds
    for one in made:
        one.journal.close()


SENDERS = {"send": {"count": 2, "tags": ["{run}-common"]}}


def test_a_round_is_given_its_own_rows_and_earlier_ones_stay_out(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS)
    for _ in range(3):
        record = rounds.record()
        own = rounds.stores(record, f"{RUN}-common")
        stored = rounds.look(record)
        assert [one.id for one in stored.messages] == [one.id for one in own]
        assert stored.changed == ()
    assert "of 6 stored mails 6 were compared" in rounds.verifier.note
    assert "6 looked at again" in rounds.verifier.note


@pytest.mark.parametrize("is_tagged", [True, False])
def test_a_mail_is_waited_for_only_where_none_of_its_rows_has_its_tags(
    is_tagged: bool, make: Callable[..., Rounds]
) -> None:
    """Refused and stored all the same, then sent again: the row of the refusal has no tags, nor will have."""
    rounds = make(SENDERS)
    record = rounds.record()
    rounds.stores(record)
    rounds.stores(record, *([f"{RUN}-common"] if is_tagged else []))
    rounds.look(record)
    assert (rounds.target.looks == 1) is is_tagged


@pytest.mark.parametrize("number", [GONE_MAX, GONE_MAX + 4])
def test_of_messages_that_are_gone_it_is_said_how_many_were_asked_for(
    number: int, make: Callable[..., Rounds]
) -> None:
    rounds = make(SENDERS)
    record = rounds.record()
    rounds.stores(record, f"{RUN}-common")
    rounds.look(replace(record, ids={f"old{n}": f"id{n}" for n in range(number)}))
    said = f"of {number} that are gone {GONE_MAX} by their page"
    assert (said in rounds.verifier.note) == (number > GONE_MAX)


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_older_row_that_changed_or_is_gone_is_told_once_on_a_server_of_ours(
    is_ours: bool, make: Callable[..., Rounds]
) -> None:
    rounds = make(SENDERS, is_ours=is_ours)
    first = rounds.record()
    one, two = rounds.stores(first, f"{RUN}-common")
    rounds.look(first)
    altered = replace(one, tags=())
    rounds.target.rows[:] = [altered]
    second = rounds.record()
    rounds.stores(second, f"{RUN}-common")
    changed = {(c.before.id, c.after and c.after.tags) for c in rounds.look(second).changed}
    # On a server that is not ours others may delete and tag what they like.
    assert changed == ({(one.id, ()), (two.id, None)} if is_ours else set())
    third = rounds.record()
    rounds.stores(third, f"{RUN}-common")
    assert rounds.look(third).changed == ()


@pytest.mark.parametrize(
    ("edit", "is_gone_excused", "are_tags_excused"),
    [
        ({"delete_all": {}}, True, False),
        ({"delete_search": {"query": "tag:{run}-common"}}, True, False),
        ({"delete_search": {"query": "tag:{run}-other"}}, False, False),
        ({"delete_tag": {"tag": "{run}-common"}}, False, True),
        ({"rename_tag": {"tag": "{run}-other", "to": "{run}-common"}}, False, False),
    ],
)
def test_only_what_an_edit_may_touch_is_excused(
    edit: dict[str, Any], is_gone_excused: bool, are_tags_excused: bool, make: Callable[..., Rounds]
) -> None:
    rounds = make(SENDERS, edit)
    first = rounds.record()
    one, two = rounds.stores(first, f"{RUN}-common")
    rounds.look(first)
    rounds.target.rows[:] = [replace(one, tags=())]
    changed = {c.before.id for c in rounds.look(rounds.record()).changed}
    assert changed == ({two.id} - ({two.id} if is_gone_excused else set())) | (
        set() if are_tags_excused else {one.id}
    )
    # What ran before the last look touches nothing after it, though its like runs again: so it is excused.
    assert rounds.look(rounds.record()).changed == ()


def test_an_edit_without_an_answer_may_still_take_effect_later(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS, {"delete_all": {}})
    first = rounds.record(Outcome.UNKNOWN)
    rounds.stores(first)
    rounds.look(first)
    rounds.target.rows.clear()
    assert rounds.verifier._changed(SERIAL, rounds.target.stored("")) == ()


def test_a_row_that_nobody_sent_goes_to_the_round_that_it_names_and_is_told_once(
    make: Callable[..., Rounds],
) -> None:
    rounds = make(SENDERS)
    first, second = rounds.record(), rounds.record()
    one, _ = rounds.stores(first)
    stray = replace(one, id="stray", sender="")
    rounds.target.rows.append(stray)
    in_first, in_second = rounds.verifier.look([first, second], "target")
    assert in_first.stored is not None
    assert in_second.stored is not None
    assert [one.id for one in in_first.stored.messages if not one.sender] == ["stray"]
    assert in_second.stored.messages == ()
    assert rounds.look(rounds.record()).messages == ()


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNKNOWN])
def test_a_late_row_is_nobodys_unless_its_outcome_was_unknown(
    outcome: Outcome, make: Callable[..., Rounds]
) -> None:
    rounds = make(SENDERS)
    first = rounds.record(outcome)
    rounds.look(first)
    rounds.stores(first)
    late = rounds.look(rounds.record()).messages
    assert len(late) == (2 if outcome is Outcome.OK else 0)


@pytest.mark.slow
def test_a_server_started_anew_and_one_that_was_emptied_hold_nothing_old(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS)
    first = rounds.record()
    rounds.stores(first)
    rounds.look(first)
    rounds.target.rows.clear()
    rounds.target.process = 2
    assert rounds.look(rounds.record()).changed == ()
    many = rounds.record()
    (one, _) = rounds.stores(many)
    rounds.target.rows += [replace(one, id=f"more{n}") for n in range(EMPTY_ABOVE)]
    rounds.look(many)
    assert rounds.target.rows == []
    assert rounds.look(rounds.record()).changed == ()
