"""Gate and bisect on the real 1.27.11 and 1.30.5, by steer: no chance in it, so nothing here is a rate."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.report.survey import survey_from_json

from tests.absent import nowhere_to_be_had
from tests.running import mailrace
from tests.studies.bundled_causes import TIMES, times_shown

pytestmark = pytest.mark.mailpit
OLD, NEW = "1.27.11", "1.30.5"
SURVEYS = Path(__file__).parents[2] / "docs" / "surveys"


def findings(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    document = json.loads((folder / "gate.json").read_text())
    return {(f["scenario"], f["anomaly"]): f for f in document["findings"]}


def test_the_upgrade_brings_s2_with_its_schedule(tmp_path: Path, real_mailpit: Callable[[str], str]) -> None:
    done = mailrace(
        *("gate", "--from", real_mailpit(OLD), "--to", real_mailpit(NEW), "--seed", "3", "--out", "g"),
        *("send-delete-last-holder", "send-rename-tag", "two-tag-sets", "shared-new-tag"),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    found = findings(tmp_path / "g")
    assert {key: f["change"] for key, f in found.items()} == {
        ("send-delete-last-holder", "rejected_but_stored"): "new",
        ("send-delete-last-holder", "tag_lost"): "unchanged",
        ("send-rename-tag", "rejected_but_stored"): "new",
        ("two-tag-sets", "tag_duplicated"): "unchanged",
        ("shared-new-tag", ""): "clean",
    }
    s2 = found["send-delete-last-holder", "rejected_but_stored"]
    assert "@" in s2["schedule"]
    again = mailrace(*s2["replay"].split()[1:], cwd=tmp_path)
    assert again.returncode == 1, again.stderr


def test_the_same_version_is_0_with_what_is_unchanged_listed(
    tmp_path: Path, real_mailpit: Callable[[str], str]
) -> None:
    version = real_mailpit(OLD)
    done = mailrace(
        *("gate", "--from", version, "--to", version, "--out", "g"),
        *("send-delete-unrelated", "two-tag-sets", "shared-new-tag"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    changes = {key: f["change"] for key, f in findings(tmp_path / "g").items()}
    assert changes == {
        ("send-delete-unrelated", "tag_lost"): "unchanged",
        ("two-tag-sets", "tag_duplicated"): "unchanged",
        ("shared-new-tag", ""): "clean",
    }


def test_one_cpu_and_no_steer_is_never_a_yes(tmp_path: Path, real_mailpit: Callable[[str], str]) -> None:
    # With GOMAXPROCS=1 the controls of its own kind fire in at most 2 of 100 rounds.
    # The 17 pairs that PASS needs, in 40: a chance below 1e-17 at 2 %, so this cannot end with 0.
    version = real_mailpit(NEW)
    done = mailrace(
        *("gate", "--from", version, "--to", version, "shared-new-tag", "--mode", "race"),
        *("--gomaxprocs", "1", "--rounds", "40", "--out", "g"),
        cwd=tmp_path,
    )
    assert done.returncode == 3, done.stderr
    assert findings(tmp_path / "g")["shared-new-tag", ""]["change"] == "could not look"


@pytest.mark.slow
def test_a_cause_that_no_scenario_shows_is_reproduced_by_a_script_alone(
    tmp_path: Path, real_mailpit: Callable[[str], str]
) -> None:
    real_mailpit("1.33.1")
    survey = survey_from_json((SURVEYS / "1.33.1.json").read_text(encoding="utf-8"))
    name = "rejected_but_stored/send.insert-or-ignore-tags/set_tags.delete-tags"
    (cause,) = [one for one in survey.causes if one.name == name]
    assert times_shown(survey, cause, tmp_path) == TIMES


def test_bisect_names_the_pair_of_s2(tmp_path: Path, real_mailpit: Callable[[str], str]) -> None:
    versions = ",".join((real_mailpit(OLD), real_mailpit(NEW)))
    done = mailrace(
        *("bisect", "send-delete-last-holder", "--good", OLD, "--bad", NEW, "--versions", versions),
        *("--anomaly", "rejected_but_stored"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert f"Of these neighbours mailpit@{NEW} has the race, and mailpit@{OLD} does not." in done.stdout
    assert "rejected_but_stored, round 0" in done.stdout


def test_bisect_names_the_pair_of_issue_283(tmp_path: Path, real_mailpit: Callable[[str], str]) -> None:
    given = Path(os.environ.get("MAILRACE_MAILPIT_DIR") or "none")
    if not all((given / f"mailpit-{version}").is_file() for version in ("1.17.0", "1.17.1")):
        nowhere_to_be_had("no 1.17.0 and 1.17.1 in MAILRACE_MAILPIT_DIR; they cannot be installed")
    versions = ",".join(("1.17.0", "1.17.1", real_mailpit(OLD), real_mailpit(NEW)))
    done = mailrace(
        *("bisect", "shared-new-tag", "--good", NEW, "--bad", "1.17.0", "--versions", versions),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "Of these neighbours mailpit@1.17.0 has the race, and mailpit@1.17.1 does not." in done.stdout
