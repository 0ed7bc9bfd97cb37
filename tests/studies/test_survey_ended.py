"""A survey that is ended as a process, by SIGKILL or Ctrl-C, goes on to what an undisturbed one comes to."""

import json
import os
import signal
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from mailrace.report.survey import survey_from_json
from mailrace.studies.survey.state import STATE

from tests.running import wait_until

WORDS = ("survey", "-t", "embedded@1.30.5", "--only", "rename tag", "--state", "state")
COMPARED = ("name", "fate", "pairs", "shown_by", "repair")
"""Of each cause: its story tells the same schedule with other times."""


def begun(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "mailrace", *WORDS],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def lines(folder: Path) -> int:
    file = folder / "state" / STATE
    return file.read_bytes().count(b"\n") if file.is_file() else 0


def found(folder: Path) -> Any:
    """The document, without what differs between two undisturbed surveys: times, and the way there."""
    document = json.loads((folder / "state" / "survey.json").read_text())
    for pair in document["pairs"]:
        del pair["seconds"]
    causes = [{key: one[key] for key in COMPARED} for one in document["causes"]]
    return document["pairs"], causes, document["coverage"], document["is_whole"]


def ended(process: "subprocess.Popen[str]", how: signal.Signals, folder: Path) -> bool:
    """End the process once it has found something more; False: it had come to its end before."""
    before = lines(folder)
    wait_until(lambda: process.poll() is not None or lines(folder) > before, 120)
    if process.poll() is not None:
        return False
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    if how is signal.SIGINT and process.returncode == 130:
        assert "go on with --state" in err
        assert not survey_from_json((folder / "state" / "survey.json").read_text()).is_whole
    return True


@pytest.mark.slow
def test_ended_again_and_again_it_comes_to_what_an_undisturbed_one_comes_to(tmp_path: Path) -> None:
    folders = [tmp_path / "whole", tmp_path / "ended"]
    for folder in folders:
        folder.mkdir()
    undisturbed = begun(folders[0])
    _, err = undisturbed.communicate(timeout=300)
    assert undisturbed.returncode == 1, err
    times = 0
    for how in cycle((signal.SIGKILL, signal.SIGINT, signal.SIGKILL)):
        process = begun(folders[1])
        try:
            if not ended(process, how, folders[1]):
                break
            times += 1
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert times > 2
    assert found(folders[1]) == found(folders[0])
