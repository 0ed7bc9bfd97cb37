"""A run that is killed leaves what it had: `mailrace report` renders it and says that it was cut off."""

import json
import signal
from pathlib import Path

import pytest

from tests.running import Running, mailrace, wait_until

pytestmark = pytest.mark.slow
HIT = '"kind":"judged","lane":"target","is_race":true'


def test_a_run_killed_in_the_middle_is_rendered_and_marked_as_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "out"
    history = out / "history.jsonl"
    words = ["run", Path("scenarios/shared-new-tag.race.yaml").resolve(), "--target", "embedded@1.17.0"]
    with Running(*words, "--rounds", 50_000, "--out", out, cwd=tmp_path) as running:
        # A busy machine may spoil many rounds, so what is waited for is one that counts.
        wait_until(lambda: history.is_file() and HIT in history.read_text(), limit_s=120)
        family = running.family()
        assert family, "it races a server of its own"
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(10)
        assert not running.left(family), "its server outlived it"
        wait_until(lambda: not list(running.temporary.iterdir()))
    assert not (out / "run.json").exists()
    looked_at = history.read_text().count('"kind":"stored","lane":"target"')

    again = mailrace("report", out, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    document = json.loads((out / "run.json").read_text())
    assert document["cut_off"] is True
    (one,) = document["scenarios"]
    assert one["name"] == "shared-new-tag"
    assert 0 < one["rounds"] <= looked_at
    assert one["rounds"] + one["rounds_lost"] >= looked_at
    assert "cut off" in one["reason"] or one["verdict"] == "RACE"
    assert any("cut" in said for said in one["not_looked"])
    for name in ("report.html", "report.md"):
        assert "cut off" in (out / name).read_text(), name
    assert (out / "junit.xml").is_file()


def test_a_run_killed_before_its_first_round_is_rendered_too(tmp_path: Path) -> None:
    scenario = Path("scenarios/shared-new-tag.race.yaml").resolve()
    out = tmp_path / "out"
    assert mailrace("run", scenario, "--rounds", 1, "--out", out, cwd=tmp_path).returncode == 3
    for name in ("run.json", "history.jsonl", "report.html"):
        (out / name).unlink()
    again = mailrace("report", out, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    document = json.loads((out / "run.json").read_text())
    assert (document["verdict"], document["cut_off"]) == ("INCONCLUSIVE", True)
