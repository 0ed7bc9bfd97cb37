"""Takes a command line; gives one running server process with its log, stamped line by line as it is read.

Nothing here knows Mailpit. The process is in a session of its own, so that a Ctrl-C at the terminal reaches
only mailrace, which then ends the process by its id.
"""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from mailrace.model.attempt import LogLine
from mailrace.model.errors import TargetError
from mailrace.model.own_trouble import ended_from_outside
from mailrace.targets import belongings
from mailrace.targets.machine import FOR_MEMORY, kills_for_memory, signal_name

LOG_LINES_MAX = 20_000
"""Kept in memory; the file has them all."""
LOG_LINE_CHARS_MAX = 4_000
STOP_S_MAX = 5.0
IN_ORDER = "exit status 0"
"""How a process ended that did not fail, in the words of `how_it_ended`."""

_DROPPED = ("MP_", "MAILRACE_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy")


def clean_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Our environment for a server: without its own settings (`MP_…`), our secrets, and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_DROPPED) and name.lower() not in _PROXIES
    }
    return {**kept, **added}


class ServerProcess:
    """A server process, started by the constructor; `log_file` gets each line of its log with its time."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log_file: Path
    ) -> None:
        self._lines: deque[LogLine] = deque(maxlen=LOG_LINES_MAX)
        self._lock = threading.Lock()
        self.ended = threading.Event()
        """Set when its output ends, which for these servers is when it ends."""
        try:
            # A survey goes on in a folder that may be a stranger's: nothing is written through a link of its.
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            self._log = os.fdopen(os.open(log_file, how, 0o666), "ab", buffering=0)
        except OSError as error:
            raise TargetError(f"{log_file}: the server's log cannot be written ({error.strerror})") from error
        # A time limit may cut this off at any point, not only where the program cannot be started.
        with ExitStack() as undone:
            undone.callback(self._log.close)
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=clean_environment(environment),
                    cwd=folder,
                    start_new_session=True,
                )
            except OSError as error:
                raise TargetError(
                    f"{command[0]}: cannot be started ({error.strerror}); is it a program for this machine?"
                ) from error
            undone.pop_all()
        # It runs. The kernel's count of kills for lack of memory is noted now, to tell a later kill from
        # those before.
        self.pid = self._process.pid
        self._killed_for_memory = kills_for_memory()
        belongings.own(self.pid, folder)
        self._reader = threading.Thread(target=self._read, name=f"log of {self.pid}", daemon=True)
        self._reader.start()

    def exit_status(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        if self.ended.is_set() and self._process.poll() is None:
            # Its output ends an instant before it does.
            try:
                return self._process.wait(1.0)
            except subprocess.TimeoutExpired:
                pass
        return self._process.poll()

    def how_it_ended(self) -> str:
        """ "exit status 1", "signal 11 (SIGSEGV)"; "" while it runs."""
        status = self.exit_status()
        if status is None:
            return ""
        return signal_name(-status) if status < 0 else f"exit status {status}"

    def ended_from_outside(self) -> str:
        """Who ended it, if not the server itself, in words; "" while it runs, and where the server did."""
        how = self.how_it_ended()
        if not ended_from_outside(how):
            return ""
        for_memory = self.exit_status() == -signal.SIGKILL and kills_for_memory() > self._killed_for_memory
        who = FOR_MEMORY if for_memory else "somebody outside of mailrace"
        return f"its process was ended by {how}, sent by {who}"

    def stop(self) -> None:
        """End it and wait until it is gone; a throw-away server needs no grace. May be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        belongings.disown(self.pid)
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired as error:
            raise TargetError(
                f"process {self.pid} does not end; end it by hand: kill -9 {self.pid}"
            ) from error
        self._reader.join(STOP_S_MAX)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        self._log.close()

    def log_since(self, t_ns: int) -> tuple[LogLine, ...]:
        """Lines read at or after that instant, oldest first; at most the last 20,000."""
        found: list[LogLine] = []
        with self._lock:
            for line in reversed(self._lines):
                if line.t_ns < t_ns:
                    break
                found.append(line)
        return tuple(reversed(found))

    def log_tail(self) -> str:
        """The last five lines, for an error message."""
        with self._lock:
            return "\n".join(line.text for line in list(self._lines)[-5:])

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while raw := pipe.readline(65_536):
            t_ns = time.monotonic_ns()
            text = raw[:LOG_LINE_CHARS_MAX].decode("utf-8", "replace").rstrip("\r\n")
            with self._lock:
                self._lines.append(LogLine(t_ns=t_ns, text=text))
            try:
                self._log.write(f"{t_ns} {text}\n".encode())
            except (OSError, ValueError):
                pass  # A full disk must not block the server on its own log.
        self.ended.set()
