"""Gate, matrix and bisect by steer on the embedded versions: no chance in it."""

import json
import re
from pathlib import Path

import pytest
from mailrace.model.choices import ModeAsked
from mailrace.model.result import Verdict
from mailrace.run import Output, Racing, RunRequest, Steering, run
from mailrace.scenario import find, load
from mailrace.session import session
from mailrace.studies.gate import Change, GateRequest, run_gate
from mailrace.studies.gate.run import put_again
from mailrace.targets import parse_target

from tests.running import mailrace

pytestmark = pytest.mark.slow


def test_a_gate_steers_pairs_races_the_rest_and_puts_the_new_to_the_old(tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "embedded@1.27.11", "--to", "embedded@1.30.5", "--seed", "3", "--out", "g"),
        *("send-delete-last-holder", "no-rset-after-failure"),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    document = json.loads((tmp_path / "g" / "gate.json").read_text())
    assert document["mode"] == "steer"
    assert {(f["scenario"], f["anomaly"]): f["change"] for f in document["findings"]} == {
        ("send-delete-last-holder", "rejected_but_stored"): "new",
        ("send-delete-last-holder", "tag_lost"): "unchanged",
        # S11 hits in every round from 1.28.4 on, and is about one session: it is raced.
        ("no-rset-after-failure", "envelope_leaked"): "new",
    }
    causes = [(c["cause"]["harm"], c["cause"]["anomalies"], c["change"]) for c in document["causes"]]
    assert causes == [("data", ["tag_lost"], "in both"), ("promise", ["rejected_but_stored"], "new")]
    assert "- Root cause tag" in (tmp_path / "g" / "gate.md").read_text().split("\n\n")[2]
    assert (tmp_path / "g" / "old" / "report.html").is_file()
    assert (tmp_path / "g" / "new" / "run.json").is_file()


def test_what_the_old_version_does_not_send_is_answered_by_all_its_orders(tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "embedded@fixed", "--to", "embedded@1.30.5", "send-rename-tag", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["anomaly"], finding["change"]) == ("rejected_but_stored", "new")
    assert "cannot follow this schedule, and none of its" in finding["reason"]


def test_a_schedule_is_put_again_where_it_can_be_followed(tmp_path: Path) -> None:
    target = "embedded@1.30.5"
    scenario = load(find(["send-rename-tag"])[0])
    options = RunRequest.of(target, Output(out=tmp_path / "run", formats=()), seed=3, mode="steer")
    (shown,) = run([scenario], options).result.scenarios
    other = RunRequest.of(target, Output(out=tmp_path / "other", formats=()), seed=3, mode="steer")
    with session([scenario], other) as version:
        again = put_again(scenario, shown, "rejected_but_stored", version, 5)
        # Of schedules without deviations at least 199 of 200 are followed (issue 6): 3 misses of 5, below
        # 1e-5.
        assert again.hits == again.runs >= 3
        assert put_again(scenario, shown, "tag_lost", version, 5).runs == 0


@pytest.mark.parametrize(("mode", "verdict"), [("steer", Verdict.INCONCLUSIVE), ("auto", Verdict.RACE)])
def test_a_walk_that_was_not_finished_is_not_nothing_new(
    mode: ModeAsked, verdict: Verdict, tmp_path: Path
) -> None:
    """So few schedules leave open what the old version does. Racing 1.17.0 hits in a third of the pairs."""
    request = GateRequest(
        old=parse_target("embedded@1.17.1"),
        new=parse_target("embedded@1.17.0"),
        mode=mode,
        run=RunRequest.of(
            "embedded@1.17.0",
            Output(out=tmp_path / "g"),
            Steering(budget=1),
            Racing(rounds=2_000, until="decided"),
            seed=3,
        ),
    )
    done = run_gate([load(find(["shared-new-tag"])[0])], request)
    assert done.gate.verdict is verdict, done.gate.findings
    expected = Change.COULD_NOT_LOOK if mode == "steer" else Change.NEW
    assert {f.change for f in done.gate.findings} == {expected}, done.gate.findings
    if mode == "auto":
        assert any(said.startswith("steer") for said in done.new.scenarios[-1].not_looked)


def test_a_matrix_counts_classes(tmp_path: Path) -> None:
    done = mailrace(
        *("matrix", "--versions", "embedded@1.17.0,embedded@1.17.1", "--scenarios", "shared-new-tag"),
        *("--out", "m", "--json"),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert [c["verdict"] for c in cells] == ["RACE", "PASS"]
    assert all(re.search(r"\d+ of \d+ class(es)? of schedules violating", c["text"]) for c in cells)


def test_a_bisection_by_steer_says_when_it_came(tmp_path: Path) -> None:
    done = mailrace(
        *("bisect", "send-delete-last-holder", "--good", "embedded@1.17.1", "--bad", "embedded@1.30.5"),
        *("--anomaly", "rejected_but_stored"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "Of these neighbours embedded@1.30.5 has the race, and embedded@1.27.11 does not." in done.stdout
