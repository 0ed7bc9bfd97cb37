"""The folder in which a command is called may be a stranger's: nothing in it is run, reached or emptied."""

import os
import shutil
from pathlib import Path

import pytest
from mailrace.history.plan import PLAN

from tests.campaign.cells import need_dask
from tests.cli.in_process import Here, scenario
from tests.running import Running, mailrace, wait_until

SERVER = "http://127.0.0.1:9?smtp=127.0.0.1:9"
MODULES = ("mailrace/__init__", "json", "selectors", "random")
"""Found before ours where Python looks into the folder first, as it does for `python -m`."""


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The folder is a stranger's; the file that is there as soon as something in it was run."""
    was_run = tmp_path / "was-run"
    (tmp_path / "mailrace").mkdir()
    for module in MODULES:
        (tmp_path / f"{module}.py").write_text(f"open({str(was_run)!r}, 'w')\nraise SystemExit(7)\n")
    (tmp_path / "mailpit").write_text(f"#!/bin/sh\ntouch {was_run}\n")
    (tmp_path / "mailpit").chmod(0o755)
    return was_run


def settings_are(folder: Path, line: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.mailrace]\n{line}\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("run", "distinct-tags", "--rounds", 1, "--no-control", "--workers", 1),
        ("steer", "distinct-tags", "--budget", 1),
        ("record", "-t", "embedded", "--minutes", 0, "--", "true"),
    ],
    ids=lambda words: str(words[0]),
)
def test_no_process_of_ours_takes_a_module_from_it(
    words: tuple[object, ...], tmp_path: Path, trace: Path
) -> None:
    if "--workers" in words:
        need_dask()
    done = mailrace(*words, cwd=tmp_path)
    assert not trace.exists()
    assert done.returncode in (0, 3), done.stderr


@pytest.mark.slow
def test_a_server_that_is_served_takes_no_module_from_it(tmp_path: Path, trace: Path) -> None:
    words = ["serve", "embedded@1.17.0", "--smtp", "127.0.0.1:0", "--listen", "127.0.0.1:0"]
    with Running(*words, cwd=tmp_path) as running:
        wait_until(lambda: "accessible via" in running.out.read_text() or running.process.poll() is not None)
    assert not trace.exists()
    assert "accessible via" in running.out.read_text()


@pytest.mark.parametrize("target", ["mailpit:./mailpit", "mailpit:mailpit", " mailpit:/bin/true", SERVER])
@pytest.mark.parametrize("words", [("run", scenario("distinct-tags")), ("survey",), ("record", "--", "true")])
def test_its_settings_name_no_program_and_no_address(
    words: tuple[object, ...], target: str, here: Here, tmp_path: Path, trace: Path
) -> None:
    settings_are(tmp_path, f"target = '{target}'")
    status, _, err = here(*words)
    assert status == 2
    assert err.startswith(
        f"mailrace: {tmp_path}/pyproject.toml: tool.mailrace.target: '{target}': a file that "
    )
    assert "name it yourself: --target, or MAILRACE_TARGET in the environment" in err
    assert not trace.exists()
    assert not (tmp_path / "reports").exists()


@pytest.mark.slow
@pytest.mark.parametrize("is_option", [True, False])
def test_who_names_a_target_is_not_hindered_by_its_settings(
    is_option: bool, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_are(tmp_path, "target = 'mailpit:./mailpit'")
    words = ["run", scenario("distinct-tags"), "--no-control", "--rounds", 1]
    if is_option:
        words += ["-t", "embedded"]
    else:
        monkeypatch.setenv("MAILRACE_TARGET", "embedded")
    assert here(*words)[0] == 3


def test_mailpit_alone_is_no_file_in_it(
    here: Here, tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(str(shutil.which("true"))))
    monkeypatch.delenv("MAILPIT_BIN", raising=False)
    settings_are(tmp_path, "target = 'mailpit'")
    for words in (("run",), ("run", "-t", "mailpit")):
        status, _, err = here(*words, scenario("distinct-tags"), "--rounds", 1)
        assert status == 4
        assert "no such program in PATH" in err
    assert not trace.exists()


@pytest.mark.parametrize(
    "where", ["../others", "{parent}/others", "below/../../others", "linked", "linked/more", "a\\u0000b", ""]
)
def test_its_settings_empty_no_folder_elsewhere(where: str, here: Here, tmp_path: Path) -> None:
    mine, theirs = tmp_path.parent / "others" / "20200101-000000-mine", tmp_path
    mine.mkdir(parents=True, exist_ok=True)
    (mine / PLAN).write_text("{}")
    (theirs / "linked").symlink_to(mine.parent)
    settings_are(theirs, f'reports = "{where.format(parent=tmp_path.parent)}"\nkeep = 1')
    status, _, err = here("run", scenario("distinct-tags"), "--no-control", "--rounds", 1)
    assert status == 2
    assert "wanted a folder below this one" in err
    assert mine.is_dir()
