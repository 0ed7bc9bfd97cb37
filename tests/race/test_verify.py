"""What the store holds is given to its rounds, and rows of earlier blocks are looked at again: no server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.attempt import Loss, Outcome
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.race.samples import SOURCE_BYTES_MAX
from mailrace.race.verify import EMPTY_ABOVE, SERIAL
from mailrace.race.views import is_gone_with_the_next
from mailrace.targets.views import GONE_MAX, TAGS_MAX

from tests.race.verified_rounds import RUN, Rounds


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rounds]]:
    """Makes a `Rounds` with those actors; its journal is closed at the end."""
    made: list[Rounds] = []

    def rounds(*actors: dict[str, Any], **changed: Any) -> Rounds:
        made.append(Rounds(tmp_path, actors, **changed))
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
    assert "Of 6 stored mails 6 were compared" in rounds.verifier.note
    assert "6 looked at again after later rounds, 6 by their source" in rounds.verifier.note
    assert "others use this server" not in rounds.verifier.note


def test_of_a_server_that_others_use_it_is_said_what_was_not_compared(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS, is_ours=False)
    record = rounds.record()
    rounds.stores(record, f"{RUN}-common")
    rounds.look(record)
    assert (
        "what other views show of them and what became of older ones was not compared" in rounds.verifier.note
    )


def test_each_mail_of_a_long_block_is_compared_with_what_was_sent_and_searched_for(
    make: Callable[..., Rounds],
) -> None:
    rounds = make(SENDERS)
    records = [rounds.record() for _ in range(60)]
    rows = [rounds.stores(record, f"{RUN}-common") for record in records]
    rounds.target.unfound = rows[30][1].id
    seen = rounds.verifier.look(records, "target")
    parts = [record.stored for record in seen if record.stored is not None]
    assert all(row.source is not None for part in parts for row in part.messages)
    assert [len(part.searches) for part in parts] == [2] * 60
    found = {search.key: search.ids for part in parts for search in part.searches}
    assert [row.key for row in rounds.target.rows if found[row.key] != (row.id,)] == [rows[30][1].key]
    assert rounds.target.asked == ['"s01 the quick"', '"s02 the quick"', f'"{rows[30][1].key} the quick"']
    assert "Of 120 stored mails 120 were compared" in rounds.verifier.note
    assert "120 searched for" in rounds.verifier.note
    assert "others" not in rounds.verifier.note


def test_a_mail_that_is_found_by_the_words_of_another_is_searched_for_by_its_own(
    make: Callable[..., Rounds],
) -> None:
    """Both mails of round 33 are found by the words of the first of them."""
    rounds = make(SENDERS)
    records = [rounds.record() for _ in range(40)]
    rows = [rounds.stores(record, f"{RUN}-common") for record in records]
    one, two = rows[33]
    search = rounds.target.search
    rounds.target.search = lambda query: (*search(query), *((two.id,) if one.id in search(query) else ()))  # type: ignore[method-assign]
    stored = rounds.verifier.look(records, "target")[33].stored
    assert stored is not None
    found = {search.key: (search.query, search.ids) for search in stored.searches}
    assert found[one.key] == (f'"{one.key} the quick"', (one.id, two.id))


def test_of_large_mails_it_is_said_how_many_were_compared(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS)
    records = [rounds.record() for _ in range(5)]
    rounds.target.rows = [
        replace(r, size=SOURCE_BYTES_MAX // 3) for one in records for r in rounds.stores(one)
    ]
    rounds.target.source = lambda row_id: bytes(SOURCE_BYTES_MAX // 3)  # type: ignore[method-assign]
    rounds.verifier.look(records, "target")
    assert "Of 10 stored mails 3 were compared" in rounds.verifier.note
    assert "of the others only what the list shows was compared" in rounds.verifier.note


@pytest.mark.parametrize(
    ("edit", "is_gone"),
    [
        ({"delete_all": {}}, True),
        ({"delete_search": {"query": "to:@{run}.test"}}, True),
        ({"delete_search": {"query": "to:{round}.s01@{run}.test"}}, True),  # a mail that is being sent
        ({"delete_search": {"query": "to:{round}.s03@{run}.test"}}, False),
        ({"set_read": {"read": True}}, True),
        ({"delete_tag": {"tag": "{run}-common"}}, True),
        ({"delete_tag": {"tag": "{run}-{round}"}}, False),
        ({"read": {"path": "/api/v1/tags"}}, False),
    ],
)
def test_whether_what_a_round_leaves_is_gone_with_the_next_one(
    edit: dict[str, Any], is_gone: bool, make: Callable[..., Rounds]
) -> None:
    plan = make(SENDERS, edit).plan
    assert is_gone_with_the_next(plan.round(0), plan.round(1), ServerOptions()) is is_gone


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


def test_where_few_mails_are_looked_at_closely_it_is_said_of_how_many(make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS, closely_max=1)
    for _ in range(3):
        record = rounds.record()
        rounds.stores(record, f"{RUN}-common")
        rounds.look(record)
    assert (
        "Of 6 stored mails 3 were compared with what was sent by their source (/raw)" in rounds.verifier.note
    )
    assert "of the others only what the list shows was compared" in rounds.verifier.note


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


@pytest.mark.parametrize("number", [TAGS_MAX, TAGS_MAX + 3])
def test_of_tags_it_is_said_how_many_were_searched_for(number: int, make: Callable[..., Rounds]) -> None:
    rounds = make(SENDERS)
    record = rounds.record()
    rounds.stores(record, *(f"{RUN}-{n}" for n in range(number)))
    rounds.look(record)
    assert (f"of {number} tags {TAGS_MAX} searched for" in rounds.verifier.note) == (number > TAGS_MAX)


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


def test_rounds_on_a_store_that_could_not_be_emptied_are_not_verified(make: Callable[..., Rounds]) -> None:
    """Its old rows are nobody's fault, and what a late deletion takes is none either."""

    def refuses() -> None:
        raise TargetError("DELETE /api/v1/messages: 500")

    rounds = make(SENDERS)
    records = [rounds.record() for _ in range(EMPTY_ABOVE // 2 + 1)]
    for record in records:
        rounds.stores(record, f"{RUN}-common")
    empty, rounds.target.empty = rounds.target.empty, refuses  # type: ignore[method-assign]
    rounds.verifier.look(records, "target")
    for is_refused in (True, False):
        rounds.target.empty = refuses if is_refused else empty  # type: ignore[method-assign]
        (seen,) = rounds.verifier.look([rounds.record()], "target")
        assert (seen.stored, seen.loss) == (None, Loss.UNVERIFIED)
        assert "DELETE /api/v1/messages: 500" in seen.lost
    last = rounds.record()
    own = rounds.stores(last, f"{RUN}-common")
    assert [row.id for row in rounds.look(last).messages] == [row.id for row in own]
