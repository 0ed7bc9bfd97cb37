"""`mailrace gate` from end to end on the embedded versions, raced: each change, and each exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import mailrace

# The embedded 1.17.0 hits in a third to a half of the pairs (in the worst minute seen, in 5 %). 30 hits in
# 2,000 pairs at 5 %: expected 100, and fewer than 30 with a chance below 1e-15.
NATIVE = ("--mode", "race", "--rounds", "2000", "--seed", "3")


def changes(folder: Path) -> dict[tuple[str, str], str]:
    document = json.loads((folder / "gate.json").read_text())
    return {(f["scenario"], f["anomaly"]): f["change"] for f in document["findings"]}


@pytest.mark.slow
def test_a_new_race_is_1_with_its_proof_and_the_command_that_replays_it(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = mailrace(
        *("gate", "--from", "embedded@1.17.1", "--to", "embedded@1.17.0", "shared-new-tag", *NATIVE),
        *("--out", "g", "--write-baseline", "known.yaml"),
        cwd=tmp_path,
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert done.returncode == 1, done.stderr
    assert changes(tmp_path / "g") == {("shared-new-tag", "rejected_but_stored"): "new"}
    (finding,) = json.loads((tmp_path / "g" / "gate.json").read_text())["findings"]
    assert finding["proof"].startswith("rejected_but_stored, round ")
    assert finding["replay"].startswith("mailrace replay g/new --scenario shared-new-tag --round ")
    assert "::error title=mailrace%3A shared-new-tag%3A rejected_but_stored is new::" in done.stderr
    assert summary.read_text() == (tmp_path / "g" / "gate.md").read_text()

    again = mailrace(*finding["replay"].split()[1:], cwd=tmp_path)
    assert again.returncode == 1, again.stderr
    assert "STILL FAILS" in again.stdout + again.stderr

    accepted = mailrace(
        *("gate", "--from", "embedded@1.17.1", "--to", "embedded@1.17.0", "shared-new-tag", *NATIVE),
        *("--baseline", "known.yaml", "--json"),
        cwd=tmp_path,
    )
    assert accepted.returncode == 0, accepted.stderr
    assert json.loads(accepted.stdout)["findings"][0]["accepted"]


@pytest.mark.slow
def test_what_the_old_version_breaks_without_any_race_is_not_new(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    old, new = faulty("mail_lost_after_an_edit"), faulty("untouched_mail_lost_beside_an_edit")
    done = mailrace(
        *("gate", "--from", old, "--to", new, "send-delete-last-holder", *NATIVE, "--out", "g"), cwd=tmp_path
    )
    assert changes(tmp_path / "g")["send-delete-last-holder", "accepted_but_missing"] == "could not look"
    assert done.returncode == 3, done.stderr
    (was,) = json.loads((tmp_path / "g" / "old" / "run.json").read_text())["scenarios"]
    assert "accepted_but_missing" in was["broken_serially"]


@pytest.mark.slow
def test_fixed_and_clean_is_0_and_strict_changes_nothing(tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "embedded@1.17.0", "--to", "embedded@1.17.1", "shared-new-tag"),
        *("shared-known-tag", "send-rename-tag", *NATIVE, "--strict", "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert changes(tmp_path / "g") == {
        ("shared-new-tag", "rejected_but_stored"): "fixed",
        ("shared-known-tag", ""): "clean",
        ("send-rename-tag", ""): "not applicable",
    }


@pytest.mark.slow
def test_unchanged_is_0_and_1_when_strict(tmp_path: Path) -> None:
    words = (
        "gate",
        "--from",
        "embedded@1.27.11",
        "--to",
        "embedded@1.30.5",
        "same-message-id-small",
        *NATIVE,
    )
    assert mailrace(*words, cwd=tmp_path).returncode == 0
    assert mailrace(*words, "--strict", "-q", cwd=tmp_path).returncode == 1


@pytest.mark.slow
def test_without_a_control_that_fires_it_is_3(tmp_path: Path) -> None:
    (tmp_path / "lonely.race.yaml").write_text(
        "name: lonely\ntitle: nothing controls it\nactors:\n  - send: {count: 2}\n"
    )
    done = mailrace(
        *("gate", "--from", "embedded@1.30.5", "--to", "embedded@1.30.5", "lonely.race.yaml"),
        *("--mode", "race", "--rounds", "20", "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert changes(tmp_path / "g") == {("lonely", ""): "could not look"}
    assert "this is no yes" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("trial", "starts"), [("warm", 1), ("cold", 5)])
def test_cold_trials_are_rounds_of_fresh_processes(trial: str, starts: int, tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "embedded@1.30.5", "--to", "embedded@1.30.5", "distinct-tags", "--mode", "race"),
        *("--rounds", "4", "--until", "rounds", "--trial", trial, "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    for word in ("old", "new"):
        log = (tmp_path / "g" / word / "server.log").read_text()
        assert log.count("[smtpd] starting on") == starts, "at first, and for each of 4 cold rounds"


@pytest.mark.parametrize("mode", ["race", "steer", "auto"])
def test_past_the_time_limit_nothing_begins_and_nothing_is_called_clean(mode: str, tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "embedded@1.17.0", "--to", "embedded@1.17.1", "shared-new-tag", "distinct-tags"),
        *("--mode", mode, "--time-limit", "0.1", "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert set(changes(tmp_path / "g").values()) == {"could not look"}
    found = json.loads((tmp_path / "g" / "gate.json").read_text())["findings"]
    assert any("the time limit ended" in f["reason"] for f in found)


def test_a_server_that_cannot_be_had_is_4(tmp_path: Path) -> None:
    done = mailrace(
        *("gate", "--from", "mailpit:/none", "--to", "embedded@1.30.5", "shared-new-tag", "--mode", "race"),
        cwd=tmp_path,
    )
    assert done.returncode == 4, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "embedded"), "--from: is missing"),
        (("--from", "embedded", "--to", "embeded"), "did you mean embedded?"),
        (("--from", "embedded", "--to", "embedded", "--baseline", "none.yaml"), "--write-baseline none.yaml"),
        (("--from", "embedded", "--to", "image:Bad Name"), "is no image"),
        (
            ("--from", "embedded", "--to", "http://127.0.0.1:9?smtp=127.0.0.1:9", "--mode", "steer"),
            "is not ours to start",
        ),
    ],
)
def test_a_wrong_question_is_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = mailrace("gate", *words, "shared-new-tag", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr


def test_a_wrong_baseline_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("accept:\n  - scenario: s\n    anomaly: nothing\n    reason: x\n")
    done = mailrace("gate", "--from", "embedded", "--to", "embedded", "--baseline", "b.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('b.yaml:3:5: accept.0.anomaly: "nothing" is no anomaly')
