"""The command in the tests' own process."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.cli import ENDS, main
from mailrace.cli.defaults import settings

from tests.cli.in_process import Here


@pytest.fixture
def here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Here]:
    """The command in this process, in an empty folder: (status, stdout, stderr); imports are paid once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILRACE_TARGET", raising=False)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDS)}
    settings.cache_clear()

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mailrace", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        for number, handler in before.items():  # the process that ended would have had no more use for them
            signal.signal(number, handler)
        out, err = capsys.readouterr()
        assert end.value.code is None or isinstance(end.value.code, int)
        return end.value.code or 0, out, err

    yield command
    settings.cache_clear()
