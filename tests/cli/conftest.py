"""The command in the tests' own process."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.cli import main
from mailrace.cli.defaults import settings

from tests.cli.in_process import Here


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Here]:
    """The command in this process, in an empty folder: (status, stdout, stderr); imports are paid once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILRACE_TARGET", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    settings.cache_clear()

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mailrace", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert end.value.code is None or isinstance(end.value.code, int)
        return end.value.code or 0, out, err

    yield command
    settings.cache_clear()
    signal.signal(signal.SIGTERM, before)
