"""Takes a server's addresses; records its traffic: a relay in front of it, and a thread that reads copies.

Where looking at a connection goes wrong, the record tells it, and the traffic goes on.
"""

import json
import os
import subprocess
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Protocol

from mailrace import __version__
from mailrace.history import RECORD, writing
from mailrace.model.errors import TargetError
from mailrace.record.file import RecordFile
from mailrace.record.frames import CLIENT_SENT, CONNECTED, ENDED, WHOLE, Frame, frames
from mailrace.record.http import HttpWatch
from mailrace.record.pop3 import Pop3Watch
from mailrace.record.recorded import Begun, Connected, Line, NotSeen
from mailrace.record.relay import command_of
from mailrace.record.service import Service
from mailrace.record.smtp import SmtpWatch
from mailrace.record.watch import LostTrack, Teller

STOP_S_MAX = 60.0
NICE = 10
CONTENTS = "contents"
"""The folder of the mails themselves, a file for each operation, where the user asked to keep them."""


class Watch(Protocol):
    """Looks at the two directions of one connection; times are monotonic nanoseconds."""

    def client_sent(self, data: bytes, t_ns: int) -> None:
        """The client sent these bytes."""

    def server_sent(self, data: bytes, t_ns: int) -> None:
        """The server sent these bytes."""

    def ended(self, t_ns: int) -> None:
        """The connection is over."""


class Recorder:
    """A relay in front of a server, and what it saw.

    ports      where it listens, in the order of the services, once it is started
    failures   why the record is not whole, a sentence each
    """

    def __init__(self, services: tuple[Service, ...], folder: Path, begun: Begun, prefix: str = "") -> None:
        self.ports: tuple[int, ...] = ()
        self.failures: list[str] = []
        self._services = services
        self._prefix = prefix
        self._contents = folder / CONTENTS if begun.keeps_content else None
        self._is_whole = False
        # Without its first line nothing would be known of a record, so that one has to be written.
        with writing(folder / RECORD):
            self._file = RecordFile(folder / RECORD)
            self._file.write(begun)
            self._file.flush()
        self._number = count(1).__next__
        self._watches: dict[int, Watch] = {}
        self._relay: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    @property
    def relay_pid(self) -> int | None:
        """The process through which the traffic goes; None before it is started."""
        return self._relay.pid if self._relay is not None else None

    def start(self) -> None:
        """Listen. Raises TargetError where a port is taken."""
        reading, writing = os.pipe()
        self._relay = subprocess.Popen(
            command_of(self._services, writing),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(writing,),
            text=True,
            # Ctrl-C is for us: the relay ends when we close its standard input. A session of its own would be
            # scheduled apart from the suite's (autogroups of Linux), and each chunk would wait for longer.
            process_group=0,
        )
        os.close(writing)
        assert self._relay.stdout is not None
        said = json.loads(self._relay.stdout.readline() or '"the relay did not start"')
        if isinstance(said, str):
            os.close(reading)
            self._relay.communicate()
            raise TargetError(f"the recorder cannot listen: {said}; name a free port")
        self.ports = tuple(said)
        self._thread = threading.Thread(target=self._look, args=(reading,), name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the relay and all its connections, and wait until all that it saw is in the file."""
        if self._relay is not None:
            self._relay.communicate()
        if self._thread is None:
            return
        self._thread.join(STOP_S_MAX)
        if self._thread.is_alive():
            self._fail("its last bytes were not looked at in time")
        elif not self._is_whole:
            self._fail("the relay was ended from outside, and nobody saw what came after")
        self._thread = None

    def close(self) -> None:
        """Stop, and write no more."""
        self.stop()
        self._file.close()

    def write(self, line: Line) -> None:
        """Append a line. A disk that takes no more is noted once; the traffic goes on."""
        self._file.write(line)
        self._flush()

    def _flush(self) -> None:
        try:
            self._file.flush()
        except OSError as wrong:
            self._fail(wrong.strerror or str(wrong))

    def _fail(self, why: str) -> None:
        self.failures.append(f"the record is not whole: {why}")

    def _keep(self, number: int, ending: str, content: bytes) -> None:
        """Write the content of a mail into a file that only its owner can read."""
        assert self._contents is not None
        try:
            self._contents.mkdir(mode=0o700, exist_ok=True)
            file = os.open(self._contents / f"{number}.{ending}", os.O_WRONLY | os.O_CREAT, 0o600)
            with open(file, "wb") as stream:
                stream.write(content)
        except OSError as wrong:
            self._fail(f"the content of operation {number} was not kept ({wrong.strerror or wrong})")

    def _look(self, pipe: int) -> None:
        # Looking can wait, and the suite and its server cannot. On Linux this is about this thread alone.
        with suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        for together in frames(pipe):
            for frame in together:
                self._look_at(frame)
            self._flush()
        os.close(pipe)
        # Operations that were under way when the relay ended have no reply; their watches say so.
        for connection in [*self._watches]:
            self._look_at(Frame(connection, ENDED, monotonic_ns(), b""))
        self._flush()

    def _look_at(self, frame: Frame) -> None:
        """Hand a frame to its watch, which may lose track: then the connection goes on unwatched."""
        try:
            self._frame(frame)
        except LostTrack as lost:
            self._give_up(frame, str(lost))
        except Exception as wrong:  # a bug of ours must not end the record of everybody else
            self._give_up(frame, _bug(wrong))

    def _frame(self, frame: Frame) -> None:
        if frame.what == CONNECTED:
            self._connected(frame)
            return
        if frame.what == WHOLE:
            self._is_whole = True
            return
        watch = self._watches.get(frame.connection)
        if watch is None:
            return
        if frame.what == ENDED:
            del self._watches[frame.connection]
            watch.ended(frame.t_ns)
        elif frame.what == CLIENT_SENT:
            watch.client_sent(frame.data, frame.t_ns)
        else:
            watch.server_sent(frame.data, frame.t_ns)

    def _connected(self, frame: Frame) -> None:
        about = json.loads(frame.data)
        self._file.write(
            Connected(
                connection=frame.connection,
                protocol=about["protocol"],
                t_ns=frame.t_ns,
                pid=about["pid"],
                process=about["process"],
            )
        )
        keep = self._keep if self._contents is not None else None
        teller = Teller(frame.connection, self._file.write, self._number, keep)
        makers: dict[str, Callable[[], Watch]] = {
            "smtp": lambda: SmtpWatch(teller),
            "http": lambda: HttpWatch(teller, self._prefix),
            "pop3": lambda: Pop3Watch(teller),
        }
        self._watches[frame.connection] = makers[about["protocol"]]()

    def _give_up(self, frame: Frame, why: str) -> None:
        self._watches.pop(frame.connection, None)
        self._file.write(NotSeen(connection=frame.connection, t_ns=frame.t_ns, why=why))


def _bug(wrong: Exception) -> str:
    """A bug of ours by its place, as the exception's words may quote what it could not take."""
    place = traceback.extract_tb(wrong.__traceback__)[-1]
    return f"a bug of mailrace: {type(wrong).__name__} in line {place.lineno} of {Path(place.filename).name}"


def begun(target: str, version: str) -> Begun:
    """The first line of a record that begins now."""
    return Begun(
        mailrace=__version__,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        t_ns=monotonic_ns(),
        target=target,
        version=version,
    )
