"""The tally: what is counted, what is kept, and what it says of skew and drift; memory stays flat."""

from dataclasses import replace

import pytest
from mailrace.check import break_of
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Outcome, Stored, Word
from mailrace.model.operation import Message, Send, ServerOptions
from mailrace.race.tally import SAMPLE_MAX, WITNESSES_MAX, Judged, Tally

from tests import built

MAIL = Message(key="m", domain="x.test", message_id="m@x.test", to=("a@x.test",))
TRIED = built.attempt(message="m", text="2.0.0 Ok: queued as 3Yw6vQ7kPp2fHn8xGd4sTb")
ROUND = built.record(
    (Send(key="send.1", message=MAIL),),
    attempts=(TRIED,),
    offsets_us=(0.0,),
    skew_us=10.0,
    stored=Stored(messages=(), tags=()),
)


def anomaly(name: AnomalyName) -> Anomaly:
    return Anomaly(name=name, round=0, proof=f"{name}: it is so")


LOST = anomaly(AnomalyName.TAG_LOST)
TORN = anomaly(AnomalyName.TORN_READ)


@pytest.fixture
def tally() -> Tally:
    return Tally(ServerOptions(), "mailrace replay X")


def clean(index: int = 0, skew_us: float = 10.0) -> Judged:
    return Judged(replace(ROUND, index=index, skew_us=skew_us), (), "")


def test_rounds_are_clean_hits_or_lost(tally: Tally) -> None:
    tally.add(clean())
    tally.add(Judged(ROUND, (LOST, LOST), ""))
    tally.add(Judged(ROUND, (TORN,), ""))
    tally.add(Judged(replace(ROUND, stored=None), (), "round 0: the store was not read"))
    assert (tally.rounds, tally.hits, tally.lost) == (3, 1, 1)
    assert tally.anomalies == {"tag_lost": 2, "torn_read": 1}
    assert tally.not_looked == ["round 0: the store was not read"]


def test_a_hit_counts_though_the_round_could_not_be_looked_at_whole(tally: Tally) -> None:
    judged = Judged(replace(ROUND, stored=None), (anomaly(AnomalyName.HANG),), "the store was not read")
    assert judged.is_counted
    tally.add(judged)
    assert (tally.rounds, tally.hits, tally.lost) == (1, 1, 0)


def test_witnesses_and_samples_are_kept_up_to_their_limits(tally: Tally) -> None:
    for index in range(50):
        tally.add(clean(index))
        tally.add(Judged(replace(ROUND, index=100 + index), (LOST,), ""))
        tally.add(Judged(replace(ROUND, index=200 + index), (TORN,), ""))
    assert len(tally.witnesses) == 2 * WITNESSES_MAX
    assert tally.witnesses[0].replay == "mailrace replay X --round 100"
    assert [record.index for record in tally.sample] == list(range(SAMPLE_MAX))


def test_replies_are_counted_with_their_ids_masked(tally: Tally) -> None:
    tally.add(clean())
    other = replace(TRIED, text="2.0.0 Ok: queued as 9Zz1vQ7kPp2fHn8xGd4sTb")
    gone = replace(TRIED, code=None, word=Word.LINK_LOST, text="")
    tally.add(Judged(replace(ROUND, attempts=(other, gone)), (), ""))
    counts = sorted(tally.replies.values())
    assert counts == [1, 2], tally.replies
    assert any("link-lost" in reply for reply in tally.replies)
    for number in range(200):
        odd = replace(TRIED, text=f"text {number}")
        tally.add(Judged(replace(ROUND, attempts=(odd,)), (), ""))
    assert len(tally.replies) <= 50


def test_the_skew_is_the_median_and_the_95th_percentile_of_the_rounds_looked_at(tally: Tally) -> None:
    assert tally.skew() is None
    for number in range(1, 101):
        tally.add(clean(skew_us=float(number)))
    tally.add(Judged(replace(ROUND, skew_us=1e6), (), "the releases spread"))
    spread = tally.skew()
    assert spread is not None
    assert (spread.p50, spread.p95) == (51.0, 96.0)


def test_blocks_hold_what_came_since_the_last_one(tally: Tally) -> None:
    control = Tally(ServerOptions(), "")
    tally.add(clean())
    tally.end_block(control)
    for index in range(3):
        tally.add(Judged(replace(ROUND, index=index), (LOST,), ""))
        control.add(Judged(replace(ROUND, index=index), (LOST,), ""))
    tally.end_block(control)
    assert [(b.first_round, b.rounds, b.hits, b.control_hits) for b in tally.blocks] == [
        (0, 1, 0, 0),
        (1, 3, 3, 3),
    ]


def test_what_shows_without_any_race_is_taken_back(tally: Tally) -> None:
    mixed, odd = anomaly(AnomalyName.CONTENT_MIXED), anomaly(AnomalyName.NOT_SERIALIZABLE)
    for index, shown in enumerate([(LOST, LOST), (LOST, mixed), (odd,), (mixed,)]):
        tally.add(Judged(replace(ROUND, index=index), shown, ""))
        tally.end_block(None)
    assert tally.take_back([]) == {}
    lost, alone = frozenset({"tag_lost"}), frozenset({"not_serializable"})
    # Where the serial orders break promises themselves, an outcome that is none of theirs is no race either.
    assert tally.take_back([break_of(LOST, ROUND.plan)]) == {0: lost, 1: lost, 2: alone}
    assert (tally.rounds, tally.hits, tally.anomalies) == (4, 2, {"content_mixed": 2})
    assert tally.broken_serially == {"tag_lost": 3, "not_serializable": 1}
    assert [block.hits for block in tally.blocks] == [0, 1, 0, 1]
    assert {w.anomaly for w in tally.witnesses} == {mixed}
    assert [tally.is_hit(index) for index in range(4)] == [False, True, False, True]


def test_expected_copies_are_summed_as_a_range(tally: Tally) -> None:
    unsure = replace(TRIED, outcome=Outcome.UNKNOWN, word=Word.TIMED_OUT, code=None)
    tally.add(clean())
    tally.add(Judged(replace(ROUND, attempts=(unsure,)), (), ""))
    assert tally.expected == (1, 2)
    assert tally.found == 0
