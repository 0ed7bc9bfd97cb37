"""Reads a cell from stdin, writes its outcome to stdout: the process that a worker starts for each cell.

Two arguments, if given, are the open files of the machine's room, which it shares (`machine.py`). Each line
of stdout is a JSON object: `said` while it goes on, `outcome` at last. When stdin ends, whoever asked is
gone, so this process ends too, with its servers.
"""

import json
import os
import signal
import sys
import threading
from contextlib import nullcontext
from types import FrameType

from mailrace.campaign.cell import sent_from, text_of
from mailrace.campaign.look import look
from mailrace.campaign.machine import Room


def main() -> None:
    """Read one cell, look at it, write its outcome."""
    # Nothing that code below prints may get among our lines.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def write(kind: str, value: str) -> None:
        print(json.dumps({kind: value}), file=out, flush=True)

    signal.signal(signal.SIGTERM, _ended)
    sent = sent_from(sys.stdin.readline())
    threading.Thread(target=_end_with_caller, daemon=True).start()
    room = Room(int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else None
    try:
        alone = room.alone if room else nullcontext
        write("outcome", text_of(look(sent, lambda sentence: write("said", sentence), alone)))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)


def _end_with_caller() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _ended(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
