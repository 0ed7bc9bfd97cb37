"""A gate and a matrix by workers say what they say without; a campaign that is ended leaves nothing."""

import json
import shlex
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cells import campaign, need_dask, request, scenario
from mailrace.campaign.gates import findings_on
from mailrace.campaign.workers import Workers
from mailrace.model.request import Output
from mailrace.model.result import Verdict
from mailrace.studies.gate import Change, GateRequest, GateRun, run_gate
from mailrace.targets import parse_target
from running import Running, mailrace, wait_until

pytestmark = pytest.mark.slow

OLD, NEW = parse_target("embedded@1.27.11"), parse_target("embedded@1.30.5")


@pytest.fixture(autouse=True)
def dask() -> None:
    need_dask()


def gated(folder: Path, look: Callable[..., object] | None) -> GateRun:
    asked = replace(request("embedded@1.30.5"), output=Output(out=folder))
    names = ("shared-known-tag", "no-rset-after-failure")
    gate = GateRequest(old=OLD, new=NEW, run=asked, mode="steer")
    return run_gate([scenario(name) for name in names], gate, look=look)  # type: ignore[arg-type]


def test_a_gate_by_workers_finds_what_a_gate_finds(tmp_path: Path) -> None:
    alone = gated(tmp_path / "alone", None)
    with campaign(Workers(count=2)) as workers:
        done = gated(tmp_path / "workers", partial(findings_on, workers))
    assert done.gate.findings == alone.gate.findings
    assert {one.change for one in done.gate.findings} == {Change.CLEAN, Change.COULD_NOT_LOOK}
    # All of the gate's verdicts share its confidence, whoever reaches them.
    assert done.gate.rule == alone.gate.rule
    assert {one.rule for one in (done.old, done.new)} == {alone.new.rule}
    assert done.gate.environment["workers"]
    assert all(one.machine for one in (*done.old.scenarios, *done.new.scenarios))


def test_a_scenario_that_no_worker_could_look_at_holds_up_a_gate(tmp_path: Path) -> None:
    with campaign(Workers(count=1)) as workers:
        asked = replace(request("embedded@1.30.5"), output=Output(out=tmp_path / "g"), time_limit_s=0.01)
        gate = GateRequest(old=OLD, new=NEW, run=asked, mode="steer")
        done = run_gate([scenario("shared-known-tag")], gate, look=partial(findings_on, workers))
    assert done.gate.verdict is Verdict.INCONCLUSIVE
    (finding,) = done.gate.findings
    assert finding.change is Change.COULD_NOT_LOOK
    assert "time limit" in finding.reason


def test_a_matrix_by_workers_names_the_machine_of_each_cell(tmp_path: Path) -> None:
    words = ("matrix", "--versions", "embedded@1.17.0,embedded@fixed,9.9.9", "--workers", 2)
    done = mailrace(*words, "--scenarios", "no-rset-after-failure", "--out", "m", cwd=tmp_path)
    document = json.loads((tmp_path / "m" / "matrix.json").read_text())
    cells = {one["target"]: one for one in document["cells"]}
    assert cells["mailpit@9.9.9"]["verdict"] is None
    assert "machine" not in cells["mailpit@9.9.9"]
    assert "worker" in cells["embedded@1.17.0"]["machine"]
    assert "worker" in document["workers"]
    assert (tmp_path / "m" / "01" / "run.json").is_file()
    assert "Who did what" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_campaign_that_is_ended_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    words = ("steer", "send-delete-unrelated", "shared-new-tag", "-t", "embedded@1.17.0", "--workers", 2)
    with Running(*words, "--out", "o", "--seed", 3, cwd=tmp_path) as running:

        def servers() -> list[str]:
            return [one for one in map(str, running.family()) if one]

        wait_until(lambda: len(servers()) > 4 or running.process.poll() is not None, 60.0)
        family = running.family()
        running.process.send_signal(number)
        running.process.wait(60.0)
        assert running.left(family) == []
    if number == signal.SIGINT:
        assert running.process.returncode == 130
        said = running.err.read_text()
        assert "cells are done and kept. To go on: mailrace steer" in said
        assert "scenarios of which nothing is known yet" in said or ": PASS" in said or ": RACE" in said
        again = said.partition("To go on: mailrace ")[2].partition("\n")[0]
        done = mailrace(*shlex.split(again), cwd=tmp_path)
        assert done.returncode == 1, done.stderr
