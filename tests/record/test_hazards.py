"""Each hazard planted once and found with the right operations, and a clean suite in which none is found."""

from dataclasses import replace

import pytest
from mailrace.model.attempt import Outcome
from mailrace.record.hazards import HAZARDS
from mailrace.record.occurrences import deleted_twice
from mailrace.record.recorded import Recorded
from mailrace.record.suite import UNKNOWN

from tests.record.traffic import BEGUN, op, send, suite

ROWS_50 = tuple((f"R{n}", "") for n in range(50))
# A process that reads, searches or deletes is a tester. These two operations make 1 and 2 testers that are at
# work from the first to the last moment.
AT_WORK = [
    *(op("search", 0, connection=c, query=f"subject:{c}", total=0, code=200) for c in (1, 2)),
    *(op("search", 90, connection=c, query=f"subject:{c}", total=0, code=200) for c in (1, 2)),
]
APP = 7
"""A process that only sends: the application under test."""
PLANTED: dict[str, list[Recorded]] = {
    "deleted_unread": [send(1, "a"), op("delete", 5, connection=2, ids=("ID-a",), code=200)],
    "delete_all_beside_others": [send(1, "a"), op("delete_all", 5, connection=2, code=200), send(9, "b")],
    "read_latest_beside_others": [
        send(1, "a", connection=2),
        op("read_latest", 3, found=(("ID-a", "a@x"),), code=200),
    ],
    "unfiltered_list": [
        send(1, "a"),
        send(1.5, "b", connection=2),
        op("list", 5, found=(("ID-a", "a@x"), ("ID-b", "b@x")), total=2, code=200),
    ],
    "search_too_wide": [
        send(1, "a"),
        send(1.5, "b", connection=2),
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
    "shared_recipient": [
        send(1, "a", recipients=("x@y",)),
        send(3, "b", connection=2, recipients=("X@y",)),
        op("search", 4, query="to:x@y", code=200),
    ],
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
NOT_SHARED = {"blind_retry", "same_message_id", "deleted_twice"}
"""Hazards that one process alone can have, too."""
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
    occurrences = found([*PLANTED[name], *AT_WORK])
    assert name in occurrences
    assert all(set(occurrence) <= set(PLANTED[name]) | set(AT_WORK) for occurrence in occurrences[name])
    assert any(set(occurrence) & set(PLANTED[name]) for occurrence in occurrences[name])


def test_a_suite_that_does_as_the_remedies_say_has_no_hazard() -> None:
    assert found(CLEAN) == {}


def moved(operations: list[Recorded], where: dict[int, int]) -> list[Recorded]:
    """The same operations, by other processes."""
    return [replace(one, connection=where.get(one.connection, one.connection)) for one in operations]


@pytest.mark.parametrize("name", sorted(PLANTED.keys() - NOT_SHARED))
@pytest.mark.parametrize(
    "where", [{2: 1}, {1: UNKNOWN, 2: UNKNOWN}, {2: UNKNOWN}], ids=["one process", "none known", "one known"]
)
def test_no_hazard_between_processes_is_told_of_one_process_or_of_unknown_ones(
    name: str, where: dict[int, int]
) -> None:
    assert name not in found(moved([*PLANTED[name], *AT_WORK], where))


@pytest.mark.parametrize("name", sorted(PLANTED.keys() - NOT_SHARED - {"read_gone"}))
def test_no_hazard_is_told_of_a_tester_and_the_application_that_it_tests(name: str) -> None:
    """All mails come from the application, and one process alone reads, searches and deletes."""
    operations = [
        replace(one, connection=APP if one.kind == "send" else 1) for one in [*PLANTED[name], *AT_WORK]
    ]
    assert name not in found(operations)


@pytest.mark.parametrize("name", sorted(PLANTED.keys() - NOT_SHARED))
def test_no_hazard_is_told_of_processes_that_work_one_after_the_other(name: str) -> None:
    """What process 2 does comes after all that process 1 did; its IDs and addresses are the same."""
    later = [
        replace(one, invoked_ns=one.invoked_ns + 10**9, completed_ns=one.completed_ns + 10**9)
        if one.connection == 2
        else one
        for one in [*PLANTED[name], *AT_WORK]
    ]
    assert name not in found(later)


def test_a_pool_of_application_processes_shares_what_it_likes() -> None:
    """Two processes that only send are no testers, whatever they have in common."""
    mails = [
        send(1, "a", connection=7, tags=("t",)),
        send(2, "b", connection=8, tags=("t",), recipients=("a@a.test",)),
    ]
    reads = [
        op("list", 5, found=(("ID-a", "a@x"), ("ID-b", "b@x")), total=2, code=200),
        op("delete_all", 7, code=200),
    ]
    assert found([*mails, *reads]) == {}


def test_two_testers_of_one_application_are_told_apart_by_whom_they_ask_for() -> None:
    mails = [send(1, "a", connection=APP), send(2, "b", connection=APP)]
    asks = [
        op("search", 3, query="to:a@a.test", total=0, code=200),
        op("search", 3, connection=2, query='to:"b@a.test"', total=0, code=200),
    ]
    gone = op("delete", 5, connection=2, ids=("ID-a",), code=200)
    assert "deleted_unread" in found([*mails, *asks, gone, *AT_WORK])
    own = op("delete", 5, connection=1, ids=("ID-a",), code=200)
    assert found([*mails, *asks, own, *AT_WORK]) == {}


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        # The same mail to two recipients, each in a transaction of its own.
        ("same_message_id", [send(1, "a"), send(3, "a", recipients=("b@a.test",))]),
        # The first one is gone before the second one comes.
        (
            "same_message_id",
            [send(1, "a"), op("delete", 3, ids=("ID-a",), code=200), send(5, "b", message_id="a@x")],
        ),
        # It may be gone: whether the search found it is not known.
        (
            "same_message_id",
            [
                send(1, "a"),
                op("delete_search", 3, query="subject:x", code=200),
                send(5, "b", message_id="a@x"),
            ],
        ),
        # The process that began the suite tidies up when all others have ended.
        *(
            (name, [op("search", 0, connection=3, total=0, code=200), send(1, "a", tags=("t",)), last])
            for name, last in {
                "deleted_unread": op("delete_all", 95, connection=3, code=200),
                "search_too_wide": op("search", 95, connection=3, found=(("ID-a", "a@x"),), code=200),
                "foreign_tag_edit": op("delete_tag", 95, connection=3, tags=("t",), code=200),
            }.items()
        ),
        # Somebody may have been shown it: by a long list, a page, a web socket, a number.
        *(
            ("deleted_unread", [send(1, "a"), read, op("delete", 5, connection=2, ids=("ID-a",), code=200)])
            for read in (
                op("list", 3, total=900, found=tuple((f"R{n}", "") for n in range(200)), code=200),
                op("search", 3, code=200),
                op("read_latest", 3, code=200),
                op("events", 0, code=101, outcome=Outcome.OK),
                op("retrieve", 3, code=0, ids=("number 1",), outcome=Outcome.OK),
            )
        ),
        # Refused before its content was sent, a mail cannot be stored.
        ("blind_retry", [send(1, "a", code=450, digest=""), send(3, "a")]),
        # Three looks at a count in a suite, each for another purpose.
        (
            "polled_count",
            [
                op(kind, at, total=total, code=200)
                for at, (kind, total) in enumerate(
                    [("info", 0), ("search", 1), ("info", 1), ("tags", -1), ("info", 2)]
                )
            ],
        ),
        ("first_page_only", [op("list", 1, found=ROWS_50, total=60, limit=50, code=200)]),
        (
            "first_page_only",
            [
                op("list", 1, found=ROWS_50, total=60, code=200),
                op("list", 3, found=ROWS_50[:10], total=60, start=50, limit=50, code=200),
            ],
        ),
        (
            "read_latest_beside_others",
            [send(1, "a", connection=2), op("read_latest", 3, query="to:x@y", code=200)],
        ),
        (
            "shared_recipient",
            [send(1, "a", recipients=("x@y",)), send(3, "b", connection=2, recipients=("x@y",))],
        ),
    ],
)
def test_what_looks_like_a_hazard_and_is_none(name: str, clean: list[Recorded]) -> None:
    assert name not in found([*clean, *AT_WORK])


@pytest.mark.parametrize(("version", "told"), [("1.30.5", True), ("1.33.1", False), ("dev", True)])
def test_a_repeated_deletion_by_one_process_is_told_where_it_may_hang_the_server(
    version: str, told: bool
) -> None:
    begun = replace(BEGUN, version=version)
    whole = suite([op("delete", 1, ids=("A",), code=200), op("delete", 3, ids=("A",), code=200)], begun=begun)
    assert [*deleted_twice(whole)] != [] if told else [*deleted_twice(whole)] == []


def test_each_hazard_says_what_why_and_what_to_do_in_whole_sentences() -> None:
    assert len({hazard.name for hazard in HAZARDS}) == len(HAZARDS) >= 10
    assert [h.name for h in HAZARDS if not (h.why.endswith(".") and h.remedy.endswith(".") and h.seen)] == []
