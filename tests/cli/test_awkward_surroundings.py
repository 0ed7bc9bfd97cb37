"""A full disk, a locale without UTF-8, a reader that goes away: sentences, whole files, no bug of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaign.cells import need_dask
from tests.running import COMMAND, environment

pytestmark = pytest.mark.slow
LATIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1:strict"}
RUN = ["run", "no-rset-after-failure", "-t", "embedded@1.30.5", "--rounds", "2", "--no-control"]


def command(*words: str, cwd: Path, stdout: int, **changed: str) -> subprocess.CompletedProcess[bytes]:
    (cwd / "tmp").mkdir(exist_ok=True)
    return subprocess.run(
        [*COMMAND, *words],
        cwd=cwd,
        env=environment(cwd / "tmp", **changed),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full: there is no full device here")
@pytest.mark.parametrize("words", [[*RUN, "--json"], RUN, [*RUN, "-q"], ["schema"], ["plan"], ["--help"]])
def test_a_full_device_is_no_bug_of_ours(words: list[str], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = command(*words, cwd=tmp_path, stdout=full)
    finally:
        os.close(full)
    said = done.stderr.decode()
    assert done.returncode == 4, said
    assert "No space left on device" in said.splitlines()[-1]
    assert "bug of mailrace" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("words", [[*RUN, "--json"], ["schema"], ["plan"], ["check"], ["--help"]])
def test_nobody_who_reads_what_is_printed_is_no_race(words: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = command(*words, cwd=tmp_path, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, b"Traceback" in done.stderr) == (141, False), done.stderr


@pytest.mark.parametrize("locale", [LATIN, {**LATIN, "PYTHONIOENCODING": "ascii:strict"}])
def test_a_locale_without_utf_8_gets_its_files_and_its_verdict(
    locale: dict[str, str], tmp_path: Path
) -> None:
    done = command(*RUN, "--out", "run", cwd=tmp_path, stdout=subprocess.PIPE, **locale)
    assert done.returncode == 1, done.stderr.decode()
    assert b"RACE" in done.stdout
    for name in ("run.json", "report.html", "report.md", "junit.xml"):
        assert (tmp_path / "run" / name).read_text(encoding="utf-8")
    again = command("report", "run", cwd=tmp_path, stdout=subprocess.PIPE, **locale)
    assert again.returncode == 0, again.stderr.decode()


def test_json_is_utf_8_in_any_locale(tmp_path: Path) -> None:
    done = command(*RUN, "--json", cwd=tmp_path, stdout=subprocess.PIPE, **LATIN)
    assert json.loads(done.stdout.decode("utf-8"))["verdict"] == "RACE"


def test_no_file_is_opened_in_the_encoding_of_the_locale(tmp_path: Path) -> None:
    """Python itself says where a text file is opened without an encoding."""
    words = ["-X", "warn_default_encoding", "-W", "always::EncodingWarning", "-m", "mailrace"]
    program = [sys.executable, *words]
    for more in (RUN, ["steer", "shared-new-tag"], ["report"], ["init"], ["check"], ["report", "--index"]):
        done = subprocess.run(
            [*program, *more],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        ours = [
            line for line in done.stderr.splitlines() if "EncodingWarning" in line and "/mailrace/" in line
        ]
        assert ours == []
        assert done.returncode in (0, 1), done.stderr


@pytest.mark.parametrize("more", [(), ("--workers", "1")])
def test_a_folder_whose_name_is_no_text_is_run_and_replayed(more: tuple[str, ...], tmp_path: Path) -> None:
    """Linux names are bytes; Python has those that are no UTF-8 as surrogates, which no file may hold."""
    if more:
        need_dask()
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/f\xff")
    os.mkdir(folder)
    file = Path(folder, "two.race.yaml")
    file.write_text("name: two\nactors: [{send: {count: 2, tags: ['{run}-{round}']}}]\nrounds: 30\n")
    words = ["run", str(file), "-t", "embedded@1.17.0", "--no-control", "--until-hit", "--out", "o", *more]
    done = command(*words, cwd=tmp_path, stdout=subprocess.PIPE)
    assert done.returncode == 1, done.stderr.decode()
    again = command("replay", "o", "--rounds", "30", cwd=tmp_path, stdout=subprocess.PIPE)
    assert again.returncode == 1, again.stderr.decode()
    assert b"STILL FAILS" in again.stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_verdict(closed: str, tmp_path: Path) -> None:
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *COMMAND, *RUN, "--out", "run"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["verdict"] == "RACE"
    assert ("RACE" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))
