"""`merge`, `matrix`, `bisect`, `retries`, `watch` from end to end on the embedded versions, raced."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import COMMAND, mailrace

# The embedded 1.17.0 refuses and stores in a third to a half of the rounds. A clean word of its neighbour
# needs 17 pairs in which it fires, in at most 1,000: also in a minute in which it fires in 5 %, missed with a
# chance below 1e-6.
pytestmark = pytest.mark.slow
OLD, NEXT = "embedded@1.17.0", "embedded@1.17.1"


def test_runs_split_over_jobs_are_merged(tmp_path: Path) -> None:
    for part, words in (("a", ("shared-new-tag", "--seed", "1")), ("b", ("shared-new-tag", "--seed", "2"))):
        done = mailrace("run", *words, "-t", NEXT, "--rounds", "10", "--out", part, "-q", cwd=tmp_path)
        assert done.returncode in (0, 3), done.stderr
    merged = mailrace("merge", "a", "b", "--out", "m", "--json", cwd=tmp_path)
    assert merged.returncode in (0, 3), merged.stderr
    (scenario,) = json.loads(merged.stdout)["scenarios"]
    parts = [json.loads((tmp_path / part / "run.json").read_text())["scenarios"][0] for part in "ab"]
    assert scenario["rounds"] == sum(p["rounds"] for p in parts)
    fired = sum(p["control"]["pairs_fired"] for p in parts)
    assert scenario["control"]["pairs_fired"] == fired
    assert (merged.returncode == 0) == (fired >= 17)
    assert (tmp_path / "m" / "report.html").is_file()
    assert (tmp_path / "m" / "ctrf.json").is_file()


def test_a_folder_is_not_merged_with_itself(tmp_path: Path) -> None:
    done = mailrace("merge", ".", str(tmp_path), cwd=tmp_path)
    assert (done.returncode, "would count twice" in done.stderr) == (2, True)


def test_a_matrix_has_every_cell_and_names_the_empty_ones(tmp_path: Path) -> None:
    done = mailrace(
        *("matrix", "--versions", f"{OLD},{NEXT},9.9.9", "--scenarios", "shared-new-tag"),
        *("--scenarios", "send-rename-tag", "--mode", "race", "--rounds", "1000", "--seed", "3"),
        *("--out", "m", "--json"),
        cwd=tmp_path,
    )
    document = json.loads(done.stdout)
    assert document == json.loads((tmp_path / "m" / "matrix.json").read_text())
    assert (document["scenarios"], document["targets"]) == (
        ["shared-new-tag", "send-rename-tag"],
        [OLD, NEXT, "mailpit@9.9.9"],
    )
    cells = {(c["scenario"], c["target"]): c for c in document["cells"]}
    assert [cells["shared-new-tag", t]["verdict"] for t in document["targets"]] == ["RACE", "PASS", None]
    assert cells["shared-new-tag", OLD]["text"].endswith(": rejected_but_stored")
    assert cells["shared-new-tag", "mailpit@9.9.9"]["text"].startswith("not available: ")
    assert cells["send-rename-tag", NEXT]["verdict"] == "NOT APPLICABLE"
    assert (tmp_path / "m" / cells["shared-new-tag", OLD]["report"]).is_file()
    assert done.returncode == 1
    assert f'href="{cells["shared-new-tag", OLD]["report"]}"' in (tmp_path / "m" / "matrix.html").read_text()
    page = (tmp_path / "m" / "matrix.md").read_text().splitlines()
    assert page[0] == f"| scenario | {OLD} | {NEXT} | mailpit@9.9.9 |"
    assert len(page) == 4


def test_a_bisection_ends_with_the_pair_and_its_proof(tmp_path: Path) -> None:
    words = ("bisect", "shared-new-tag", "--good", NEXT, "--bad", OLD, "--mode", "race", "--state", "s.json")
    done = mailrace(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Of these neighbours {OLD} has the race, and {NEXT} does not." in done.stdout
    assert "rejected_but_stored, round " in done.stdout
    again = mailrace(*words, cwd=tmp_path)
    assert again.returncode == 0
    assert f"{OLD}: bad, known from s.json" in again.stderr
    assert "rounds hit" not in again.stderr, "nothing is run again"
    fewer = mailrace(*words, "--trials", "1", cwd=tmp_path)
    assert fewer.returncode == 2
    assert "is of another question (another confidence or number of trials)" in fewer.stderr


def test_a_bisection_for_git(tmp_path: Path) -> None:
    words = ("bisect", "shared-new-tag", "--bisect-exit-codes", "--mode", "race", "--target")
    assert mailrace(*words, OLD, cwd=tmp_path).returncode == 1
    assert mailrace(*words, NEXT, cwd=tmp_path).returncode == 0
    unlooked = mailrace(*words, NEXT, "--rounds", "1", "--trials", "1", cwd=tmp_path)
    assert unlooked.returncode == 125, unlooked.stderr
    assert mailrace(*words, "mailpit:none", cwd=tmp_path).returncode == 125
    assert mailrace(*words, "embeded", cwd=tmp_path).returncode == 128


def test_the_retry_laboratory_shows_what_the_option_hides(tmp_path: Path) -> None:
    # 8 trials of 40 rounds. That 1.17.0 refuses in none of the 40 rounds of one: below 1e-6 at 30 % a round.
    done = mailrace(
        *("retries", "shared-new-tag", "-t", OLD, "--rounds", "40", "--seed", "3", "--json"), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    held = {(t["policy"], t["ignore_duplicate_ids"]): t["ledger"] for t in document["trials"]}
    assert len(held) == 8
    assert all(t["refused"] for t in held.values())
    naive, hidden = held["naive", False], held["naive", True]
    assert (naive["doubled"], naive["untagged"]) == (naive["refused"], 0)
    assert (hidden["doubled"], hidden["untagged"]) == (0, hidden["refused"])
    assert held["reconcile", False]["doubled"] == held["reconcile", False]["extra"] == 0
    assert held["none", False]["extra"] == 0
    assert document["sentence"].startswith("No policy is right here.")
    assert "counting duplicates alone misses the race" in document["hidden"]


def test_the_laboratory_wants_a_sender_and_a_server_of_ours(tmp_path: Path) -> None:
    done = mailrace("retries", "overlapping-deletions", "-t", OLD, cwd=tmp_path)
    assert (done.returncode, "has no sender" in done.stderr) == (2, True)
    done = mailrace("retries", "shared-new-tag", "-t", "http://h:1?smtp=h:2", cwd=tmp_path)
    assert (done.returncode, "is not ours to start" in done.stderr) == (2, True)


def test_watching_a_log_once(tmp_path: Path) -> None:
    log = tmp_path / "mailpit.log"
    log.write_text("fine\n[db] error storing message: UNIQUE constraint failed: tags.Name\n")
    done = mailrace("watch", "mailpit.log", "--once", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("mailpit.log:2: rejected_but_stored: [db] error storing message")
    log.write_text('time="2026/01/01 10:00:00" level=info msg="[smtpd] starting on [::]:1025"\n')
    assert mailrace("watch", "mailpit.log", "--once", cwd=tmp_path).returncode == 0
    log.write_text("fine\n")
    assert mailrace("watch", "mailpit.log", "--once", cwd=tmp_path).returncode == 3, "no line of Mailpit's"
    assert mailrace("watch", "none.log", "--once", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("words", [("--once",), ()])
def test_a_log_that_comes_through_a_pipe_is_watched_to_its_end(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, "watch", "/dev/stdin", *words],
        cwd=tmp_path,
        input=b"fine\n[db] error storing message: UNIQUE constraint failed: tags.Name",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(b"stdin:2: rejected_but_stored: [db] error storing message")


def test_watching_a_server_of_ours_tells_where_it_listens_and_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mailrace.cli import main; main()", "watch", NEXT]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watch:
        assert watch.stderr is not None
        assert watch.stderr.readline().startswith(f"{NEXT}: SMTP 127.0.0.1:")
        watch.send_signal(signal.SIGINT)
        out, err = watch.communicate(timeout=30)
    assert watch.returncode == 0, err
    assert "0 with a known signature" in out
