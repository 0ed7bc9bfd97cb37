"""`mailrace record` as a process of its own, in front of a server, for as long as a test wants."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60
_LISTENS = re.compile(r"SMTP at ([\d.]+):(\d+), HTTP at (\S+?)(?:, POP3 at ([\d.]+):(\d+))?$")


@dataclass
class Running:
    """A recorder that runs: its process, and where it listens."""

    process: "subprocess.Popen[str]"
    smtp: tuple[str, int]
    url: str
    pop3: tuple[str, int] | None
    said: list[str]

    def end(self) -> tuple[int, str]:
        """TERM, as Ctrl-C: its exit status, and all that it printed."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, "".join([*self.said, err, out])

    def kill(self) -> None:
        """KILL, at once."""
        self.process.kill()
        self.process.communicate(timeout=LIMIT_S)


@contextmanager
def recorder(folder: Path, target: str = "embedded", *options: str) -> Iterator[Running]:
    """A recorder that listens; it is killed where the test has not ended it."""
    command = [sys.executable, "-m", "mailrace", "record", "--target", target, "--minutes", "0"]
    process = subprocess.Popen(
        [*command, "--out", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if found := _LISTENS.search(line):
                pop3 = (found[4], int(found[5])) if found[4] else None
                yield Running(process, (found[1], int(found[2])), found[3], pop3, said)
                return
        raise AssertionError("".join(said))
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=LIMIT_S)
