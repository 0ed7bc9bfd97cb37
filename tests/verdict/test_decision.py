"""The rule for PASS, each branch with its whole answer; and the table of exit statuses."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailrace.model.result import ControlResult, Rule, ScenarioResult, Verdict
from mailrace.verdict import Decision, Evidence, decide, evidence_of, exit_status, gravest, whole_of
from mailrace.verdict.exit_status import merged

from tests import built

VERDICTS = st.sampled_from(Verdict)
ALONE = Rule()


def judged(rule: Rule = ALONE, **seen: Any) -> Decision:
    return decide(Evidence(**seen), rule)


def control(kind: int, fired: int, pairs: int = 100, target: str = "mailpit@1.17.0") -> ControlResult:
    return built.control(fired, kind=kind, pairs=pairs, target=target, scenario="shared-new-tag")


def test_one_hit_is_proof_whatever_the_control_did() -> None:
    for beside in (None, control(1, 0), control(3, 50)):
        assert judged(rounds=200, hits=1, lost=3, control=beside) == Decision(
            verdict=Verdict.RACE,
            reason="1 of 200 rounds hit: 0.5 % (0.0 to 2.8 % with 95 % confidence) "
            "(3 more could not be looked at).",
        )


def test_a_drifting_rate_is_not_given_as_one() -> None:
    assert judged(rounds=200, hits=90, one_rate=False).reason == (
        "90 of 200 rounds hit; the rate drifted from block to block, so no single rate describes the server."
    )


@pytest.mark.parametrize("kind", [1, 2])
def test_pass_needs_enough_pairs_of_a_control_that_can_carry_it(kind: int) -> None:
    assert judged(rounds=100, hits=0, lost=2, control=control(kind, 17)) == Decision(
        verdict=Verdict.PASS,
        reason="no hit in 100 rounds (2 more could not be looked at); the control mailpit@1.17.0 "
        "(shared-new-tag) fired in 17 of 100 pairs: a race at least 0.31 times as frequent as "
        "mailpit@1.17.0 (shared-new-tag) would have been seen with 99 % confidence.",
    )
    assert judged(rounds=100, hits=0, control=control(kind, 16)) == Decision(
        verdict=Verdict.INCONCLUSIVE,
        reason="no hit in 100 rounds; the control mailpit@1.17.0 (shared-new-tag) fired in 16 of 100 pairs, "
        "fewer than the 17 that 99 % confidence needs.",
        advice="about 7 more rounds if the control goes on as it did; or a control that fires more often; or "
        "steer: `mailrace steer` looks at every schedule and needs no control (on a server that mailrace "
        "starts).",
    )


def test_a_pass_of_sampled_contents_says_so() -> None:
    found = judged(rounds=100, hits=0, control=control(1, 17), is_sampled=True)
    assert found.reason.endswith(
        "(shared-new-tag) would have been seen, in the list or in the sample of mails that were looked at "
        "closely, with 99 % confidence."
    )


def test_theta_and_confidence_are_the_rules_own() -> None:
    for fired, rule, verdict in (
        (7, Rule(theta=1), Verdict.PASS),
        (6, Rule(theta=1), Verdict.INCONCLUSIVE),
        (48, Rule(theta=0.1), Verdict.INCONCLUSIVE),
        (3, Rule(theta=1, confidence=0.875), Verdict.PASS),
        # Two verdicts that share 0.875: each may err with 1/16, and needs four doublings.
        (3, Rule(theta=1, confidence=0.875, verdicts=2), Verdict.INCONCLUSIVE),
        (4, Rule(theta=1, confidence=0.875, verdicts=2), Verdict.PASS),
    ):
        assert judged(rule, rounds=9, hits=0, control=control(1, fired)).verdict is verdict


def test_a_pass_says_what_holds_for_it_and_for_all_together() -> None:
    whole = Rule(verdicts=22)
    assert judged(whole, rounds=100, hits=0, control=control(1, 27)).reason.endswith(
        "a race at least 0.33 times as frequent as mailpit@1.17.0 (shared-new-tag) would have been seen with "
        "99.95 % confidence (99 % for all 22 verdicts together)."
    )
    too_few = judged(whole, rounds=100, hits=0, control=control(1, 26))
    assert too_few.verdict is Verdict.INCONCLUSIVE
    assert (
        "fewer than the 27 that 99.95 % confidence (99 % for all 22 verdicts together) needs"
        in too_few.reason
    )


def test_the_embedded_reference_alone_never_passes_a_real_server() -> None:
    assert judged(rounds=5_000, hits=0, control=control(3, 5_000, 5_000, "embedded@1.17.0")) == Decision(
        verdict=Verdict.INCONCLUSIVE,
        reason="no hit in 5000 rounds; the control embedded@1.17.0 (shared-new-tag) fired in 5000 of 5000 "
        "pairs, but it is of kind 3: it shows that mailrace releases well, and nothing of this server's "
        "own scheduling.",
        advice="steer: `mailrace steer` looks at every schedule and needs no control (on a server that "
        "mailrace starts); or give a known-bad "
        "version of the same server or an open race of this one.",
    )


def test_without_a_control_that_fires_a_clean_run_says_nothing() -> None:
    assert judged(rounds=100, hits=0) == Decision(
        verdict=Verdict.INCONCLUSIVE,
        reason="no hit in 100 rounds, and no control ran that would show that a race can be seen here.",
        advice="name a control that is available here (`controls:` in the scenario), or steer: `mailrace "
        "steer` looks at every schedule and needs no control (on a server that mailrace starts).",
    )
    assert judged(rounds=100, hits=0, control=control(1, 0)) == Decision(
        verdict=Verdict.INCONCLUSIVE,
        reason="no hit in 100 rounds; the control mailpit@1.17.0 (shared-new-tag) fired in 0 of 100 pairs, "
        "fewer than the 17 that 99 % confidence needs.",
        advice="where the control never fires, a race might not show either: look at GOMAXPROCS and the "
        "number of CPUs, choose another control, or steer: `mailrace steer` looks at every schedule and "
        "needs no control (on a server that mailrace starts).",
    )


def test_what_could_not_be_exercised_never_passes() -> None:
    advice = "see why the rounds were lost, in the report and in the server's log, and run again."
    assert judged(rounds=0, hits=0, lost=40, control=control(1, 99)) == Decision(
        verdict=Verdict.INCONCLUSIVE,
        reason="nothing could be exercised (40 more could not be looked at).",
        advice=advice,
    )
    assert judged(rounds=20, hits=0, lost=21, control=control(1, 99)) == Decision(
        verdict=Verdict.INCONCLUSIVE, reason="only 20 of 41 rounds could be exercised.", advice=advice
    )


@pytest.mark.parametrize(
    ("seen", "reason", "advice"),
    [
        pytest.param(
            {"found_by_steer": ("tag_lost",)},
            "no hit in 100 rounds, but steer has found tag_lost on this version.",
            "more rounds cannot clear what steer has shown; replay its schedule, or race with --confirm.",
            id="steer has found it",
        ),
        pytest.param(
            {"lost": 3, "refused": 1},
            "no hit in 100 rounds (3 more could not be looked at), but the server refused 1 more, ended a "
            "link without a reply, or would not show its store: a race may have made its own round "
            "disappear.",
            "see the replies and the server's log for why, mend that, and run again.",
            id="one round that the target refused",
        ),
        pytest.param(
            {"never_accepted": ("delete.1",)},
            "no hit in 100 rounds, but no delete.1 was ever accepted, so no promise was put to the test.",
            "see the replies in the report: the server refuses what the scenario does.",
            id="an operation that was never accepted",
        ),
        pytest.param(
            {"never_accepted": None},
            "no hit in 100 rounds, but it is not recorded what the server accepted.",
            "run it again with this mailrace.",
            id="an older document",
        ),
        pytest.param(
            {"broken_serially": ("duplicated",)},
            "no hit in 100 rounds, but duplicated shows when the operations run one after the other as well: "
            "a broken promise, not a race.",
            "look at how this server is set up; what is raced must work by itself first.",
            id="broken without any race",
        ),
        pytest.param(
            {"promised": 200, "found": 199},
            "no hit in 100 rounds, but the server promised at least 200 stored copies, and 199 were found.",
            "see in the report which messages are missing.",
            id="less in the store than promised",
        ),
        pytest.param(
            {"is_cut_off": True},
            "no hit in 100 rounds, but a run was cut off before its end.",
            "run that one again.",
            id="cut off",
        ),
    ],
)
def test_no_control_mends_rounds_that_a_race_can_hide_behind(
    seen: dict[str, Any], reason: str, advice: str
) -> None:
    expected = Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, advice=advice)
    assert judged(rounds=100, hits=0, control=control(1, 90), **seen) == expected
    assert judged(rounds=100, hits=3, control=control(1, 90), **seen).verdict is Verdict.RACE


def test_a_document_is_judged_by_all_that_it_holds() -> None:
    result = ScenarioResult(
        name="s",
        title="t",
        file="",
        mode="race",
        verdict=Verdict.PASS,
        reason="",
        rounds=100,
        rounds_lost=1,
        rounds_refused=2,
        accepted={"send.1": 3, "send.2": 0},
        broken_serially={"duplicated": 4},
        hits=5,
        control=control(1, 6),
        expected=(7, 8),
        found=9,
    )
    assert evidence_of(result, found_by_steer=("hang",), is_cut_off=True) == Evidence(
        rounds=100,
        hits=5,
        lost=1,
        refused=2,
        never_accepted=("send.2",),
        broken_serially=("duplicated",),
        promised=7,
        found=9,
        control=control(1, 6),
        found_by_steer=("hang",),
        is_cut_off=True,
    )


def test_what_holds_for_all_verdicts_together_is_said() -> None:
    def result(verdict: Verdict, mode: str) -> ScenarioResult:
        return ScenarioResult(name="s", title="t", file="", mode=mode, verdict=verdict, reason="")

    assert whole_of([result(Verdict.RACE, "race"), result(Verdict.INCONCLUSIVE, "steer")], ALONE) == ""
    passed = [result(Verdict.PASS, "race"), result(Verdict.PASS, "race"), result(Verdict.PASS, "steer")]
    assert whole_of(passed, Rule(verdicts=22)) == (
        "2 PASS by racing: the chance that any of them is wrong, about races as frequent as it says, is at "
        "most 1 %, for all 22 verdicts together; 1 PASS by a finished walk of every schedule, which leaves "
        "nothing to chance."
    )


def test_the_gravest_word_counts() -> None:
    order = (Verdict.RACE, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASS)
    for place, word in enumerate(order):
        for rest in permutations((word, *order[place:], Verdict.NOT_APPLICABLE)):
            assert gravest(rest) is word


def test_nothing_exercised_is_inconclusive() -> None:
    assert gravest([]) is Verdict.INCONCLUSIVE
    assert gravest([Verdict.NOT_APPLICABLE]) is Verdict.INCONCLUSIVE
    assert exit_status([Verdict.NOT_APPLICABLE]) == 3


@given(VERDICTS, VERDICTS, VERDICTS)
def test_merging_is_commutative_and_associative(a: Verdict, b: Verdict, c: Verdict) -> None:
    assert merged(a, b) is merged(b, a)
    assert merged(merged(a, b), c) is merged(a, merged(b, c))
    assert merged(a, a) is a
    assert merged(a, Verdict.NOT_APPLICABLE) is a


@given(st.lists(VERDICTS), st.lists(VERDICTS))
def test_runs_split_over_jobs_merge_to_the_same_word(here: list[Verdict], there: list[Verdict]) -> None:
    assert gravest(here + there) is gravest(there + here)
    if here and there and Verdict.NOT_APPLICABLE not in here + there:
        assert gravest([gravest(here), gravest(there)]) is gravest(here + there)
