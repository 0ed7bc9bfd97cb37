"""Takes a cell's text; gives its outcome's text: the function that a worker of Dask calls.

It runs in a thread of the worker. The cell itself is looked at in a process of its own, because time limits
need a main thread, and because what ends a cell must not end a worker.
"""

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO

from mailrace.campaign.cell import Outcome, Sent, outcome_from, sent_from, text_of
from mailrace.campaign.machine import Room, host
from mailrace.campaign.workers import Told
from mailrace.model.errors import MachineTrouble, UsageError

DEATHS_MAX = 3
"""How often a cell's process may be ended from outside before the cell is INCONCLUSIVE."""
LOOK_S = 0.5
"""The pause between two looks at whether anybody still wants the outcome."""
END_S_MAX = 15.0


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a cell's process ended: its `outcome`, or ("") its status and its last words."""

    outcome: str = ""
    status: int = 0
    words: str = ""


def perform(text: str) -> str:
    """The outcome of a cell; "" where nobody wants it any more."""
    from distributed import get_worker

    worker = get_worker()
    sent, key, name = sent_from(text), worker.get_current_task(), str(worker.name)[:200]

    def tell(sentence: str) -> None:
        worker.log_event(sent.topic, Told(key=sent.cell.key, by=name, host=host(), said=sentence[:500]))

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    tell("")
    return looked_at(sent, name, tell, is_wanted)


def looked_at(sent: Sent, worker: str, tell: Callable[[str], None], is_wanted: Callable[[], bool]) -> str:
    """The text of the outcome, with the worker's name in it; "" where nobody wants it any more."""
    said = Outcome(key=sent.cell.key, host=host(), worker=worker)
    ends = None if sent.left_s is None else time.monotonic() + sent.left_s
    ended = _Ended()
    # What ends the process from outside, such as a lack of memory, may be over when it is tried again.
    for _ in range(DEATHS_MAX):
        try:
            room = _shared(tell, is_wanted) if sent.is_alone else None
        except MachineTrouble as wrong:
            return text_of(replace(said, why=str(wrong)))
        if ends is not None:
            sent = replace(sent, left_s=max(0.1, ends - time.monotonic()))
        ended = _in_a_process(sent, room, tell, is_wanted)
        if ended.outcome:
            try:
                return text_of(replace(outcome_from(ended.outcome, sent.cell), worker=worker))
            except UsageError as wrong:
                return text_of(replace(said, why=str(wrong)[:4_000]))
        if not is_wanted():
            return ""
        if ended.status >= 0 and ended.status != 130:
            why = f"a bug of mailrace in the cell's process: {ended.words}"
            return text_of(replace(said, why=why[-4_000:], step="report it with these words"))
    # Every try was ended from outside: the machine is to blame, not the server that was looked at.
    number = -ended.status
    how = signal.Signals(number).name if number > 0 else f"status {ended.status}"
    why = f"its process on {host()} was ended from outside {DEATHS_MAX} times, at last by {how}"
    return text_of(replace(said, why=why, step="see what ends it there, such as a lack of memory"))


def _shared(tell: Callable[[str], None], is_wanted: Callable[[], bool]) -> Room:
    """The machine's room, shared from now on; waits while rounds are raced here."""
    room = Room.of()
    tick = threading.Event()
    while not room.share() and is_wanted():
        tell("waits: rounds are raced on this machine")
        tick.wait(LOOK_S)
    return room


def _in_a_process(
    sent: Sent, room: Room | None, tell: Callable[[str], None], is_wanted: Callable[[], bool]
) -> _Ended:
    """Start the cell's process, hand on what it tells, and wait for its end or until nobody wants it."""
    handles = room.handles if room is not None else ()
    # Without -P, modules in the user's folder, which may be a stranger's, would be run in place of ours.
    with tempfile.TemporaryFile() as words:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mailrace.campaign", *map(str, handles)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,
                pass_fds=handles,
            )
        finally:
            if room is not None:
                room.close()  # from now on the process holds it
        assert process.stdin is not None
        assert process.stdout is not None
        lines: queue.Queue[dict[str, str] | None] = queue.Queue()
        threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
        outcome = ""
        try:
            process.stdin.write(text_of(sent).encode() + b"\n")
            process.stdin.flush()
            outcome = _followed(lines, tell, is_wanted)
        except BrokenPipeError:
            pass  # it ended before it had read the cell: its status says how
        finally:
            # The end of its stdin ends it, whatever it is doing, with its servers.
            _end(process)
        words.seek(0)
        last = words.read().decode("utf-8", "backslashreplace")[-2_000:]
        return _Ended(outcome, process.returncode, last)


def _followed(
    lines: "queue.Queue[dict[str, str] | None]", tell: Callable[[str], None], is_wanted: Callable[[], bool]
) -> str:
    """Its outcome; "" where it ended without one, or nobody wants it any more."""
    while True:
        try:
            line = lines.get(timeout=LOOK_S)
        except queue.Empty:
            if is_wanted():
                continue
            return ""
        if line is None:
            return ""
        if "outcome" in line:
            return str(line["outcome"])
        tell(str(line.get("said", "")))


def _read(stdout: IO[bytes], lines: "queue.Queue[dict[str, str] | None]") -> None:
    """Its lines, and None at their end."""
    with stdout:
        for raw in stdout:
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.put(line)
    lines.put(None)


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    try:
        process.stdin.close()
    except BrokenPipeError:
        pass
    try:
        process.wait(END_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(END_S_MAX)
