"""The timeline as values: lanes, stacked retries, the server, views, and the table that says the same."""

from dataclasses import replace

import pytest
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import LogLine, Outcome, Word
from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Read,
    RenameTag,
    Send,
    SetTags,
)
from mailrace.model.result import Block
from mailrace.report.chart import BLOCKS_MAX, block_chart
from mailrace.report.expected import message_rows
from mailrace.report.timeline import (
    ATTEMPTS_MAX,
    LOG_LINES_MAX,
    tick_step,
    timeline,
)
from mailrace.report.words import reply_words

from tests.report.report_records import DOMAIN, LOG_ERROR, clean_round, raced_round, sent
from tests.report.report_results import steered


def test_a_lane_for_each_actor_with_retries_stacked_and_one_for_the_server():
    line = timeline(raced_round(0))
    assert [(lane.label.partition(" ")[0], len(lane.rows)) for lane in line.lanes] == [
        ("send1", 1),
        ("send2", 2),
        ("server", 1),
    ]
    refused, retry = line.lanes[1].rows
    assert refused.caption == "attempt 1, refused: 451 4.3.5 Unable to process mail"
    assert retry.caption == "retry, attempt 2, ok: 250 2.0.0 Ok: queued"
    assert refused.y < retry.y < line.height


def test_spans_and_marks_of_an_attempt():
    row = timeline(raced_round(0)).lanes[1].rows[0]
    assert [(s.kind, s.begin_us, s.end_us) for s in row.spans] == [
        ("prepare", -3200.0, -1165.0),
        ("held", -1165.0, 61.0),
        ("wait-fail", 61.0, 2113.0),
    ]
    assert [m.letter or m.kind for m in row.marks] == ["C", "G", "M", "R", "D", "H", "released", "end-fail"]
    assert row.marks[-1].words == "451 4.3.5 Unable to process mail, at 2.113 ms"


def test_log_lines_and_the_read_of_the_store_are_on_the_same_clock():
    marks = timeline(raced_round(0)).lanes[-1].rows[0].marks
    assert [(m.kind, m.at_us) for m in marks] == [("log", 2098.0), ("store", 30000.0)]
    assert LOG_ERROR in marks[0].words
    assert marks[1].words == "store read at 30.000 ms: 3 copies; tags: mrk3f9x2ab-r00000"


def test_the_views_show_the_answers_the_race_and_all_of_it():
    views = timeline(raced_round(0)).views
    assert [name for name, _, _ in views] == ["Release to last answer", "The race", "Whole round"]
    (_, begin, end), (_, _, race_end), (_, whole_begin, whole_end) = views
    assert begin < 0 < 2113 < race_end < 9870 < end
    assert whole_begin < -3200 < 30000 < whole_end


def test_the_table_says_all_of_it_in_order_of_time():
    line = timeline(raced_round(0))
    marks = sum(len(row.marks) for lane in line.lanes for row in lane.rows)
    assert len(line.events) == marks
    assert [t for t, _, _ in line.events] == sorted(t for t, _, _ in line.events)
    assert (2113.0, "send2", "attempt 1, refused: 451 4.3.5 Unable to process mail") in line.events


def test_an_attempt_that_was_never_released_and_one_without_a_reply():
    record = clean_round(0)
    first, second = record.attempts
    lost = replace(
        first, released_ns=None, code=None, word=Word.LINK_LOST, outcome=Outcome.FAIL, marks=first.marks[:3]
    )
    silent = replace(second, code=None, text="", word=Word.TIMED_OUT, outcome=Outcome.UNKNOWN)
    line = timeline(replace(record, attempts=(lost, silent)))
    assert [s.kind for s in line.lanes[0].rows[0].spans] == ["prepare"]
    assert line.lanes[0].rows[0].marks[-1].kind == "end-fail"
    assert line.lanes[1].rows[0].spans[-1].kind == "wait-unknown"
    assert reply_words(silent) == "timed-out"


def test_a_round_without_attempts_draws():
    line = timeline(replace(clean_round(0), attempts=(), log=(), stored=None, verified_ns=None))
    assert [len(lane.rows) for lane in line.lanes] == [0, 0]
    assert line.ticks()


def test_what_is_too_much_is_left_out_and_said():
    record = clean_round(0)
    attempts = tuple(replace(record.attempts[0], number=i + 1) for i in range(ATTEMPTS_MAX + 5))
    log = tuple(LogLine(t_ns=record.released_ns + i, text="x") for i in range(LOG_LINES_MAX + 2))
    line = timeline(replace(record, attempts=attempts, log=log))
    assert line.left_out == "5 more attempts and 2 more log lines stand in run.json only"


def test_a_lead_is_named():
    record = clean_round(0)
    send = record.plan.operations[0]
    assert isinstance(send, Send)
    lead = replace(send.message, key="r00000l01")
    operations = (replace(send, lead=lead), record.plan.operations[1])
    record = replace(
        record,
        plan=replace(record.plan, operations=operations),
        attempts=(sent(0, 0, lead, code=451, text="451 no"), *record.attempts),
    )
    assert timeline(record).lanes[0].rows[0].caption == "lead r00000l01: 451 no"


@pytest.mark.parametrize("span", [1, 9, 10, 77, 12_345, 4e6])
def test_ticks_are_round_and_few(span):
    assert 4 <= span / tick_step(span) <= 9


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (Delete(key="d", messages=("a", "b")), "deletes a, b by ID"),
        (DeleteSearch(key="d", query="tag:x"), "deletes what matches tag:x"),
        (DeleteAll(key="d"), "deletes all messages"),
        (SetTags(key="d", messages=("a",), tags=()), "sets the tags of a to none"),
        (RenameTag(key="d", tag="a", to="b"), "renames the tag a to b"),
        (DeleteTag(key="d", tag="a"), "deletes the tag a"),
        (Read(key="d", path="/api/v1/tags", times=3), "reads /api/v1/tags 3 times"),
    ],
)
def test_operations_in_words(operation, words):
    assert operation.words == words


def test_expected_against_found_by_message():
    finding = Anomaly(name=AnomalyName.REJECTED_BUT_STORED, round=0, message="r00000s02", proof="")
    first, second = message_rows(raced_round(0), (finding,))
    assert (first.promised, len(first.copies), first.broken) == ("1", 1, ())
    assert (second.promised, len(second.copies), second.broken) == ("1", 2, ("rejected_but_stored",))
    assert second.told == (
        "451 4.3.5 Unable to process mail at 2.113 ms",
        "250 2.0.0 Ok: queued at 9.870 ms",
    )
    assert [c[1] for c in second.copies] == [2, 1]


def test_an_unknown_outcome_promises_a_range_and_strangers_are_listed():
    record = clean_round(0)
    stored = record.stored
    assert stored is not None
    unknown = replace(record.attempts[0], outcome=Outcome.UNKNOWN, word=Word.LINK_LOST, code=None)
    stranger = replace(stored.messages[0], sender=f"other@{DOMAIN}", id="z")
    rows = message_rows(
        replace(
            record,
            attempts=(unknown, record.attempts[1]),
            stored=replace(stored, messages=(*stored.messages, stranger)),
        )
    )
    assert [r.promised for r in rows] == ["0 to 1", "1", ""]
    assert rows[2].copies[0][0] == "z"


def test_a_round_with_a_deletion_promises_nothing_by_message():
    rows = message_rows(steered().scenarios[0].witnesses[0].record)
    assert [r.promised for r in rows] == ["", ""]
    assert rows[0].told == ("stored before the round",)


def test_the_chart_joins_blocks_and_keeps_their_sums():
    blocks = [
        Block(first_round=i * 10, rounds=10, hits=i % 3, control_hits=5) for i in range(BLOCKS_MAX * 2 + 1)
    ]
    chart = block_chart(blocks, with_control=True)
    assert chart is not None
    assert len(chart.blocks) <= BLOCKS_MAX
    assert sum(b.rounds for b in chart.blocks) == 10 * len(blocks)
    assert sum(b.hits for b in chart.blocks) == sum(b.hits for b in blocks)
    assert len(chart.bars) == 2 * len(chart.blocks)
    assert all(0 <= bar.y <= 120 for bar in chart.bars)
    assert block_chart(blocks[:1], with_control=True) is None
