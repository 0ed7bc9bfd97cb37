"""No process and no file is left, however mailrace ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mailrace.targets import belongings

HERE = Path(__file__).parent
LIMIT_S = 20.0


class Owner:
    """A running `owner.py` with its server, watcher and folder."""

    def __init__(self, temporary: Path, how: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "owner.py"), str(HERE / "fake_server.py"), how],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        server, watcher, folder = self.process.stdout.readline().split(maxsplit=2)
        self.server, self.watcher = psutil.Process(int(server)), psutil.Process(int(watcher))
        self.folder = Path(folder.strip())

    def close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT_S)


@pytest.fixture
def owner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Owner]:
    running = Owner(tmp_path, request.param)
    yield running
    running.close()


def is_gone(process: psutil.Process) -> bool:
    """Ended, or a zombie that waits for a foreign parent."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("owner", "number"),
    [
        ("returns", None),
        ("fails", None),
        ("waits", signal.SIGINT),
        ("waits", signal.SIGTERM),
        ("waits", signal.SIGKILL),
    ],
    indirect=["owner"],
)
def test_nothing_is_left(owner: Owner, number: signal.Signals | None, tmp_path: Path) -> None:
    if number is not None:
        assert (owner.folder / "mailpit.db").exists()
        owner.process.send_signal(number)
    owner.process.wait(LIMIT_S)
    psutil.wait_procs([owner.watcher], LIMIT_S)
    assert is_gone(owner.server)
    assert is_gone(owner.watcher)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["waits"], indirect=True)
def test_the_next_start_sweeps_after_an_owner_killed_with_its_watcher(
    owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert belongings.sweep() == 0, "its owner lives"
    owner.watcher.kill()
    owner.process.kill()
    owner.process.wait(LIMIT_S)
    assert owner.folder.exists()
    assert belongings.sweep() == 1
    psutil.wait_procs([owner.server], LIMIT_S)
    assert is_gone(owner.server)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_others_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "mailrace-1-notes").mkdir()
    assert belongings.sweep() == 0
    assert (tmp_path / "mailrace-1-notes").exists()
