"""The version, the changelog and the workflows of a release."""

import re
import shutil
import tomllib
from pathlib import Path

from mailrace import __version__
from ruamel.yaml import YAML

from tests.absent import lacking
from tests.clean_shell import ROOT, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_the_version_stands_once_and_what_names_a_tag_names_that_of_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ("version" in project, project["dynamic"]) == (False, ["version"])
    pages = [
        ROOT / "README.md",
        ROOT / "action.yml",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").glob("*.yml"),
    ]
    named = [
        tag
        for page in pages
        for tag in re.findall(r"(?:OWNER/mailrace@|rev: )(\S+)", page.read_text(encoding="utf-8"))
    ]
    assert len(named) >= 3, "the hook, and the action twice"
    assert set(named) == {f"v{__version__}"}


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: the newest first, each section with its date, each group one of the six."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *others = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert first == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})", line) for line in others]
    assert all(dated)
    versions = [tuple(int(part) for part in found.groups()[:3]) for found in dated if found]
    assert versions == sorted(set(versions), reverse=True)
    groups = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    sections = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    assert [part for part in sections if len(re.findall(r"^### (.*)$", part, re.MULTILINE)) == 0] == []
    for part in sections:
        own = re.findall(r"^### (.*)$", part, re.MULTILINE)
        assert len(own) == len(set(own))


def test_the_workflows_are_right_in_the_eyes_of_actionlint(tmp_path: Path) -> None:
    assert {file.name for file in WORKFLOWS} == {"ci.yml", "release.yml"}
    files = [*WORKFLOWS, ROOT / "docs" / "before-we-bump-mailpit.yml"]
    if there := shutil.which("actionlint"):
        command = [there]
    elif go := shutil.which("go"):
        command = [go, "run", ACTIONLINT]  # built once, and kept by Go
    else:
        lacking("neither actionlint nor Go, which could build it, is here: the workflows were not linted")
    done = run(*command, "-no-color", *files, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(files[0].read_text(encoding="utf-8").replace("runs-on:", "runs_on:"), encoding="utf-8")
    assert run(*command, wrong, cwd=ROOT).returncode == 1


def test_a_release_is_tested_first_and_only_jobs_that_run_none_of_our_code_may_write() -> None:
    release = YAML(typ="safe", pure=True).load(WORKFLOWS[-1].read_text(encoding="utf-8"))
    jobs = release["jobs"]
    assert release[True if True in release else "on"] == {"push": {"tags": ["v*"]}}
    assert [jobs[name]["needs"] for name in ("build", "sign", "publish", "site")] == [
        *("test", "build", "sign", "publish")
    ]
    for job in jobs.values():
        writes = [right for right in job.get("permissions", {}).values() if right == "write"]
        assert not writes or all("uses" in step for step in job["steps"])
        for step in job.get("steps", ()):
            assert "${{" not in step.get("run", ""), "an expression in a script is an injection"
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))


def test_a_release_refuses_a_tag_that_is_not_the_version(tmp_path: Path) -> None:
    release = YAML(typ="safe", pure=True).load(WORKFLOWS[-1].read_text(encoding="utf-8"))
    (step,) = [s for s in release["jobs"]["build"]["steps"] if s.get("name", "").startswith("The tag")]
    package = tmp_path / "harness" / "mailrace"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "harness/mailrace/__init__.py", package)
    log = tmp_path / "CHANGELOG.md"
    for tag, written, status in (
        (f"v{__version__}", f"## [{__version__}] - 2026-11-26\n", 0),
        ("v9.9.9", f"## [{__version__}] - 2026-11-26\n", 1),
        (f"v{__version__}", "## [Unreleased]\n", 1),
        (f"v{__version__}", f"## [{__version__}]\n", 1),
    ):
        log.write_text(written, encoding="utf-8")
        done = run("bash", "-e", "-c", step["run"], cwd=tmp_path, GITHUB_REF_NAME=tag)
        assert done.returncode == status, (tag, written, done.stdout)
