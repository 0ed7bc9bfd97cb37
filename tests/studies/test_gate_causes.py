"""A gate tells causes, the worst harm first, and counts from the harm on that was asked for."""

from dataclasses import replace
from typing import cast

import pytest
from mailrace.model.cause import Cause
from mailrace.model.consequences import HARMS, Harm
from mailrace.model.result import Rule, ScenarioResult, Verdict, Violation
from mailrace.report import to_json
from mailrace.report.causes import causes_words as causes_of_a_run
from mailrace.steer.causes.grounds import Grounds
from mailrace.steer.one_instance.told_causes import told_causes
from mailrace.studies.gate import causes_words, compare
from mailrace.studies.gate.causes import CauseChange, causes_of, spare_lesser
from mailrace.studies.gate.compare import Again, Looked, with_raced
from mailrace.studies.gate.document import as_run, gate_from_json, gate_markdown, headline
from mailrace.studies.gate.finding import gate_verdict
from mailrace.studies.pages import gate_study

from tests.studies.study_results import raced, run_of, steered
from tests.studies.test_gate_report import gate_of


def cause(name: str, harm: Harm = Harm.DATA, fate: str = "realised", anomaly: str = "tag_lost") -> Cause:
    return Cause(name=name, harm=harm, anomalies=(anomaly,), operations=("send", "delete"), fate=fate)


def walked(*causes: Cause, name: str = "s", is_exhaustive: bool = True, doubt: str = "") -> ScenarioResult:
    anomalies = {one.anomalies[0]: 1 for one in causes}
    verdict = Verdict.RACE if causes else Verdict.PASS
    found = steered(verdict, name=name, is_exhaustive=is_exhaustive, doubt=doubt, **anomalies)
    assert found.schedules is not None
    return replace(found, schedules=replace(found.schedules, causes=causes))


X, Y = cause("x"), cause("y")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(walked(X), walked(X), [("x", "in both")], id="both"),
        pytest.param(
            walked(cause("x", fate="unrealised")), walked(X), [("x", "not known on both")], id="the old open"
        ),
        pytest.param(
            walked(X), walked(cause("x", fate="unrealised")), [("x", "not known on both")], id="the new open"
        ),
        pytest.param(
            walked(cause("x", fate="left_out")),
            walked(X),
            [("x", "in both")],
            id="nobody tried, for it was shown",
        ),
        pytest.param(walked(), walked(X), [("x", "new")], id="every schedule of the old one was walked"),
        pytest.param(walked(X), walked(), [("x", "mended")], id="every schedule of the new one was walked"),
        pytest.param(
            walked(is_exhaustive=False), walked(X), [("x", "not known on both")], id="the old walk was cut"
        ),
        pytest.param(
            walked(X), walked(is_exhaustive=False), [("x", "not known on both")], id="the new walk was cut"
        ),
        pytest.param(
            walked(X), walked(doubt="no delete was ever accepted"), [("x", "not known on both")], id="in vain"
        ),
        pytest.param(
            raced(Verdict.PASS), walked(X), [("x", "not known on both")], id="the old one was raced"
        ),
        pytest.param(
            walked(cause("x", fate="two servers")), walked(), [], id="a gate has one server of each"
        ),
        pytest.param(walked(Y), walked(X), [("x", "new"), ("y", "mended")], id="what is new comes first"),
        pytest.param(
            walked(cause("tag_lost/send/send")),
            walked(replace(cause("tag_lost/a/b"), statements=("a", "b"))),
            [("tag_lost/a/b", "not known on both"), ("tag_lost/send/send", "not known on both")],
            id="of one the statements are not known",
        ),
        pytest.param(
            walked(),
            walked(cause("r", Harm.REPLY), cause("d"), cause("p", Harm.PROMISE)),
            [("d", "new"), ("p", "new"), ("r", "new")],
            id="the worst harm first",
        ),
    ],
)
def test_what_becomes_of_a_cause(
    old: ScenarioResult, new: ScenarioResult, expected: list[tuple[str, str]]
) -> None:
    assert [(one.cause.name, one.change.value) for one in causes_of([old], [new])] == expected


def test_a_cause_is_new_only_if_each_of_its_scenarios_was_walked_and_is_told_where_it_was_shown() -> None:
    old = [walked(name="a"), walked(name="b", is_exhaustive=False)]
    open_ = cause("x", fate="unrealised")
    (found,) = causes_of(old, [walked(open_, name="a"), walked(X, name="b")])
    assert (found.change, found.scenarios, found.cause.fate) == (CauseChange.OPEN, ("a", "b"), "realised")
    (found,) = causes_of([walked(name="a"), walked(name="b")], [walked(open_, name="a"), walked(X, name="b")])
    assert found.change is CauseChange.NEW


def test_the_first_lines_of_page_terminal_and_junit_are_causes() -> None:
    old, new = walked(), walked(cause("tag_lost/read/write"))
    gate = gate_of(*compare(old, new, {"tag_lost": Again(runs=30, hits=0)}, Rule()))
    gate = replace(gate, causes=causes_of([old], [new]))
    told = "Root cause tag_lost/read/write (harm: data), new, in s, shown on one server."
    assert gate_markdown(gate).splitlines()[4].replace("\\", "") == f"- {told}"
    assert gate_study(gate).told.counted[0] == told
    assert as_run(gate, run_of(new)).scenarios[0].reason.startswith(told)
    assert causes_words(gate.causes) == [told]
    assert gate_from_json(to_json(gate)) == gate


@pytest.mark.parametrize(
    ("harm", "least", "verdict"),
    [
        (harm, least, Verdict.PASS if HARMS.index(harm) > HARMS.index(least) else Verdict.RACE)
        for harm in HARMS
        for least in HARMS
    ],
)
def test_only_what_does_such_harm_or_worse_counts(harm: Harm, least: Harm, verdict: Verdict) -> None:
    new = walked(cause("x", harm, anomaly="not_serializable"))
    found = compare(walked(), new, {"not_serializable": Again(runs=30, hits=0)}, Rule())
    assert [f.harm for f in found] == [harm.value]
    spared = spare_lesser(found, least)
    assert gate_verdict(spared) is gate_verdict(spared, is_strict=True) is verdict
    if verdict is Verdict.PASS:
        assert (
            spared[0].accepted == f"its harm ({harm.value}) is less than {least.value}, which was asked for"
        )
        assert headline(gate_of(*spared)).startswith("Nothing new that counts")


def test_of_several_causes_of_one_anomaly_the_worst_counts() -> None:
    new = walked(cause("x", Harm.REPLY), cause("y", Harm.DATA))
    (found,) = compare(walked(), new, {"tag_lost": Again(runs=30, hits=0)}, Rule())
    assert found.harm == "data"


@pytest.mark.parametrize(("is_exhaustive", "harm"), [(True, "reply"), (False, "data")])
def test_a_walk_that_was_cut_may_have_a_cause_that_does_all_the_anomaly_can(
    is_exhaustive: bool, harm: str
) -> None:
    new = walked(cause("x", Harm.REPLY, anomaly="not_serializable"), is_exhaustive=is_exhaustive)
    found, *_ = compare(walked(), new, {"not_serializable": Again(runs=30, hits=0)}, Rule())
    assert found.harm == harm


def test_what_an_anomaly_did_in_the_race_counts_beside_what_it_did_in_the_walk() -> None:
    walk = walked(cause("x", Harm.REPLY, anomaly="not_serializable"))
    race = raced(Verdict.RACE, hits=40, not_serializable=40)
    found = with_raced(Looked(walk, walk, {}), Looked(race, race, {}), Rule())
    assert [f.harm for f in found if f.anomaly] == ["data"]
    assert gate_verdict(spare_lesser(found, Harm.DATA), is_strict=True) is Verdict.RACE


def test_what_could_not_be_looked_at_has_no_harm_and_is_never_spared() -> None:
    found = compare(walked(), walked(is_exhaustive=False), {}, Rule())
    assert [f.harm for f in found] == [""]
    assert gate_verdict(spare_lesser(found, Harm.STOP)) is Verdict.INCONCLUSIVE


def test_without_a_cause_the_harm_is_that_of_the_anomaly() -> None:
    (found,) = compare(raced(Verdict.PASS), raced(Verdict.RACE, hits=40, tag_lost=40), {}, Rule())
    assert found.harm == "data"


def test_a_cause_that_nobody_tried_is_not_called_no_race() -> None:
    class Known:
        def causes(self) -> list[Cause]:
            return [cause(name, fate="unrealised") for name in ("shown", "tried", "left")]

    def became(fate: str, of: str) -> Violation:
        return Violation(anomalies=("tag_lost",), classes=1, fate=fate, cause=of)

    seen = [became("left_out", "left"), became("unrealised", "tried"), became("left_out", "tried")]
    found = {one.name: one for one in told_causes(cast(Grounds, Known()), {}, seen)}
    fates = {name: one.fate for name, one in found.items()}
    assert fates == {"shown": "unrealised", "tried": "unrealised", "left": "left_out"}
    (said,) = causes_of_a_run([("x", found["left"])])
    assert "shown already" in said
    assert "no race by itself" not in said
