"""The journal: what was written comes back, whatever was written, and as far as it was written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailrace.history import Journal, JournalHeader, read_histories, read_study
from mailrace.model.attempt import (
    Attempt,
    LogLine,
    Outcome,
    RoundRecord,
    Stage,
    Stored,
    StoredMessage,
    Word,
)
from mailrace.model.operation import (
    Delete,
    DeleteAll,
    DeleteSearch,
    DeleteTag,
    Message,
    PlannedRound,
    Read,
    RenameTag,
    Send,
    SetTags,
)

from tests import built

# No surrogates: every text that the engine keeps was decoded from bytes.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
NS = st.integers(0, 2**62)
MESSAGE = st.builds(
    Message,
    key=TEXT,
    domain=TEXT,
    message_id=TEXT,
    to=TEXTS,
    bcc=TEXTS,
    x_tags=TEXTS,
    subject=TEXT,
    body_bytes=st.integers(0, 10**7),
    file_sha256=st.none() | TEXT,
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    malformed=st.booleans(),
)
OPERATION = st.one_of(
    st.builds(
        Send,
        key=TEXT,
        message=MESSAGE,
        via=st.sampled_from(["smtp", "rest"]),
        lead=st.none() | MESSAGE,
        ignore_mail_reply=st.booleans(),
    ),
    st.builds(Delete, key=TEXT, messages=TEXTS),
    st.builds(DeleteSearch, key=TEXT, query=TEXT),
    st.builds(DeleteAll, key=TEXT),
    st.builds(SetTags, key=TEXT, messages=TEXTS, tags=TEXTS),
    st.builds(RenameTag, key=TEXT, tag=TEXT, to=TEXT),
    st.builds(DeleteTag, key=TEXT, tag=TEXT),
    st.builds(Read, key=TEXT, path=TEXT, times=st.integers(1, 99)),
)
ATTEMPT = st.builds(
    Attempt,
    round=st.just(0),
    actor=st.integers(-1, 63),
    operation=TEXT,
    message=st.none() | TEXT,
    number=st.integers(1, 10),
    outcome=st.sampled_from(Outcome),
    word=st.sampled_from(Word),
    code=st.none() | st.integers(200, 599),
    text=TEXT,
    stage=st.sampled_from(Stage),
    marks=st.lists(st.tuples(st.sampled_from(Stage), NS), max_size=3).map(tuple),
    invoked_ns=NS,
    released_ns=st.none() | NS,
    completed_ns=NS,
)
COPY = st.builds(
    StoredMessage,
    id=TEXT,
    message_id=TEXT,
    sender=TEXT,
    to=TEXTS,
    cc=TEXTS,
    bcc=TEXTS,
    reply_to=TEXTS,
    subject=TEXT,
    tags=TEXTS,
    read=st.booleans(),
    size=st.integers(0, 10**8),
)
US = st.floats(-1e6, 1e6)
ROUND = st.builds(
    RoundRecord,
    index=st.just(0),
    plan=st.builds(
        PlannedRound,
        index=st.just(0),
        token=TEXT,
        given=st.lists(MESSAGE, max_size=2).map(tuple),
        operations=st.lists(OPERATION, max_size=3).map(tuple),
    ),
    ids=st.dictionaries(TEXT, TEXT, max_size=2),
    attempts=st.lists(ATTEMPT, max_size=3).map(tuple),
    offsets_us=st.lists(US, max_size=3).map(tuple),
    skew_us=US,
    decoys=st.integers(0, 2),
    released_ns=NS,
    stored=st.none() | st.builds(Stored, messages=st.lists(COPY, max_size=2).map(tuple), tags=TEXTS),
    log=st.lists(st.builds(LogLine, t_ns=NS, text=TEXT), max_size=2).map(tuple),
    lost=TEXT,
    hung=TEXTS,
    crashed=TEXT,
)


def header(scenario: str) -> JournalHeader:
    return JournalHeader(
        mailrace="0", scenario=scenario, target="embedded", control="", seed=1, run="mr00000000", mode="race"
    )


def write(journal: Journal, lane: str, record: RoundRecord) -> None:
    """A round as the engine writes it."""
    journal.begin(lane, record)
    for attempt in record.attempts:
        journal.attempt(lane, attempt)
    journal.end(lane, record)
    if record.stored is not None:
        journal.stored(lane, record.index, record.stored)


def at(record: RoundRecord, index: int) -> RoundRecord:
    """The same round under another index."""
    attempts = tuple(replace(attempt, round=index) for attempt in record.attempts)
    return replace(record, index=index, plan=replace(record.plan, index=index), attempts=attempts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(ROUND, max_size=4))
def test_what_is_written_comes_back(tmp_path: Path, drawn: list[RoundRecord]) -> None:
    path = tmp_path / "history.jsonl"
    path.unlink(missing_ok=True)
    rounds = [at(record, index) for index, record in enumerate(drawn)]
    journal = Journal(path)
    for scenario in ("one", "two"):
        journal.header(header(scenario))
        for record in rounds:
            write(journal, "target", record)
            write(journal, "control", record)
    journal.close()
    journal.close()
    found = [(one.name, lane, record) for one in read_histories(path) for lane, record, _ in one.rounds]
    assert len(found) == 4 * len(rounds)
    for scenario in ("one", "two"):
        for lane in ("target", "control"):
            mine = [record for s, of, record in found if (s, of) == (scenario, lane)]
            assert sorted(mine, key=lambda record: record.index) == rounds


PLAIN = built.record(
    (Read(key="r", path="/", times=1),),
    offsets_us=(0.0,),
    released_ns=5,
    stored=Stored(messages=(), tags=("a",)),
)
TRIED = built.attempt("r", code=200)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Two rounds of one attempt each."""
    path = tmp_path / "history.jsonl"
    journal = Journal(path)
    journal.header(header("one"))
    for index in range(2):
        write(journal, "target", at(replace(PLAIN, attempts=(TRIED,)), index))
    journal.close()
    return path


@pytest.mark.parametrize("lines", range(10))
def test_a_file_that_ends_anywhere_gives_what_was_whole(written: Path, lines: int) -> None:
    whole = written.read_text().splitlines(keepends=True)
    kinds = [json.loads(line)["kind"] for line in whole]
    assert kinds == ["run", *["begin", "attempt", "end", "stored"] * 2]
    half = whole[lines][: len(whole[lines]) // 2] if lines < len(whole) else ""
    written.write_text("".join(whole[:lines]) + half)
    found = [record for one in read_histories(written) for _, record, _ in one.rounds]
    assert len(found) == kinds[:lines].count("begin")
    assert sum(record.stored is not None for record in found) == kinds[:lines].count("stored")
    assert sum(not record.lost for record in found) == kinds[:lines].count("end")
    assert sum(len(record.attempts) for record in found) == kinds[:lines].count("attempt")
    cut = [record.lost for record in found if record.lost]
    assert cut in ([], ["the run ended in the middle of this round"])


def test_a_line_is_on_disk_before_the_next_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    journal = Journal(path)
    journal.header(header("one"))
    journal.begin("target", PLAIN)
    assert path.read_bytes().count(b"\n") == 2, "a killed run would lose it"
    journal.close()


def test_a_journal_goes_on_where_it_was(written: Path) -> None:
    journal = Journal(written)
    journal.header(header("two"))
    write(journal, "target", PLAIN)
    journal.close()
    assert [(one.name, len(one.rounds)) for one in read_histories(written)] == [("one", 2), ("two", 1)]


def test_lines_that_are_not_ours_are_passed_over(written: Path) -> None:
    written.write_text('\n[]\n{"a":1}\nnull\n' + written.read_text())
    assert [len(one.rounds) for one in read_histories(written)] == [2]


@pytest.mark.parametrize("is_link", [True, False])
def test_a_study_without_a_history_wrote_nothing_of_its_own(is_link: bool, tmp_path: Path) -> None:
    if is_link:
        (tmp_path / "history.jsonl").symlink_to("nowhere")
    assert list(read_study(tmp_path / "history.jsonl", "empty", str)) == []
