"""Each hazard planted once and found with the right operations, and a clean suite in which none is found."""

import pytest
from mailrace.record.hazards import HAZARDS
from mailrace.record.recorded import Recorded

from tests.record.traffic import op, send, suite

ROWS_50 = tuple((f"R{n}", "") for n in range(50))
PLANTED: dict[str, list[Recorded]] = {
    "deleted_unread": [send(1, "a"), op("delete", 5, connection=2, ids=("ID-a",), code=200)],
    "delete_all_beside_others": [send(1, "a"), op("delete_all", 5, connection=2, code=200), send(9, "b")],
    "read_latest_beside_others": [
        send(1, "a", connection=2),
        op("read_latest", 3, found=(("ID-a", "a@x"),), code=200),
    ],
    "unfiltered_list": [
        send(1, "a"),
        send(1, "b", connection=2),
        op("list", 5, found=(("ID-a", "a@x"), ("ID-b", "b@x")), total=2, code=200),
    ],
    "search_too_wide": [
        send(1, "a"),
        send(1, "b", connection=2),
        op("search", 4, query="to:a@a.test", found=(("ID-a", "a@x"),), code=200),
        op("search", 5, connection=2, query="subject:x", found=(("ID-a", "a@x"), ("ID-b", "b@x")), code=200),
    ],
    "polled_count": [
        send(1, "a", connection=2),
        op("info", 2, total=1, code=200),
        op("info", 4, total=1, code=200),
        op("info", 6, total=2, code=200),
    ],
    "same_message_id": [send(1, "a"), send(3, "b", message_id="a@x", connection=2)],
    "blind_retry": [send(1, "a", code=451), send(3, "a")],
    "shared_recipient": [send(1, "a", recipients=("x@y",)), send(3, "b", connection=2, recipients=("X@y",))],
    "shared_tag": [send(1, "a", tags=("T",)), send(3, "b", connection=2, tags=("t",))],
    "deleted_twice": [
        op("delete", 1, ids=("A", "B"), code=200),
        op("delete", 3, connection=2, ids=("B", "C"), code=200),
    ],
    "read_gone": [
        send(1, "a"),
        op("search", 2, query="to:a@a.test", found=(("ID-a", "a@x"),), code=200),
        op("delete", 3, connection=2, ids=("ID-a",), code=200),
        op("read_message", 5, ids=("ID-a",), code=404),
    ],
    "first_page_only": [op("list", 1, found=ROWS_50, total=60, code=200)],
    "foreign_tag_edit": [send(1, "a", tags=("t",)), op("delete_tag", 3, connection=2, tags=("t",), code=200)],
}
CLEAN = [
    one
    for worker in (1, 2, 3)
    for one in (
        send(worker, f"w{worker}", connection=worker, tags=(f"t{worker}",)),
        op("search", worker + 5, connection=worker, query=f'to:"w{worker}@a.test"', total=0, code=200),
        op(
            "search",
            worker + 10,
            connection=worker,
            query=f'to:"w{worker}@a.test"',
            total=1,
            found=((f"ID-w{worker}", f"w{worker}@x"),),
            code=200,
        ),
        op("read_message", worker + 20, connection=worker, ids=(f"ID-w{worker}",), code=200),
        op("delete_search", worker + 30, connection=worker, query=f'to:"w{worker}@a.test"', code=200),
    )
]


def found(operations: list[Recorded]) -> dict[str, list[tuple[Recorded, ...]]]:
    """Hazard to the operations of its occurrences."""
    whole = suite(operations)
    seen = {hazard.name: [one.operations for one in hazard.find(whole)] for hazard in HAZARDS}
    return {name: occurrences for name, occurrences in seen.items() if occurrences}


@pytest.mark.parametrize("name", [hazard.name for hazard in HAZARDS])
def test_a_planted_hazard_is_found_and_names_operations_of_its_own(name: str) -> None:
    occurrences = found(PLANTED[name])
    assert name in occurrences
    assert all(set(occurrence) <= set(PLANTED[name]) for occurrence in occurrences[name])


def test_a_suite_that_does_as_the_remedies_say_has_no_hazard() -> None:
    assert found(CLEAN) == {}


@pytest.mark.parametrize(
    "name",
    [
        "deleted_unread",
        "delete_all_beside_others",
        "read_latest_beside_others",
        "shared_recipient",
        "shared_tag",
    ],
)
def test_what_one_process_does_to_its_own_mail_is_no_hazard_between_processes(name: str) -> None:
    alone = [op_of_one(one) for one in PLANTED[name]]
    assert name not in found(alone)


def op_of_one(one: Recorded) -> Recorded:
    """The same operation, by process 1."""
    from dataclasses import replace

    return replace(one, connection=1)


def test_each_hazard_says_what_why_and_what_to_do_in_whole_sentences() -> None:
    assert len({hazard.name for hazard in HAZARDS}) == len(HAZARDS) >= 10
    assert [h.name for h in HAZARDS if not (h.why.endswith(".") and h.remedy.endswith(".") and h.seen)] == []
