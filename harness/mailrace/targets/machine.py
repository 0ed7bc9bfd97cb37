"""Takes a folder, an exit status or a log line; gives what its machine lacked or did to it."""

import os
import re
import signal
from pathlib import Path

FOR_MEMORY = "the kernel, for lack of memory"
FREE_BYTES_MIN = 512 * 1024
"""A file system with less left is full: SQLite writes a journal of its pages beside each change."""
_LACKING = re.compile(
    r"(no space left on device|disk (?:quota exceeded|is full)|database or disk is full|"
    r"file too large|attempt to write a readonly database|unable to open database file|"
    r"too many open files|cannot allocate memory|input/output error|disk i/o error|read-only file system)",
    re.IGNORECASE,
)


def full_disk(folder: Path) -> str:
    """That the folder's file system has no room left, in words; "" while it has some."""
    try:
        seen = os.statvfs(folder)
    except OSError:
        return ""
    what = ""
    if seen.f_bavail * seen.f_frsize < FREE_BYTES_MIN:
        what = "no space"
    elif seen.f_files and not seen.f_favail:
        what = "no room for another file"
    if not what:
        return ""
    return f"{what} is left in its temporary folder ({folder.parent}); free some, or set TMPDIR"


def lacking_in(line: str) -> str:
    """What the server's machine lacked, by a line of its log; "" where the line tells no such thing."""
    found = _LACKING.search(line)
    return f"its machine was in trouble, as its log says: {found[1].lower()}" if found else ""


def signal_name(number: int) -> str:
    """`signal 9 (SIGKILL)`."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def kills_for_memory() -> int:
    """How often the kernel has killed a process for lack of memory since it started; 0 if not told."""
    try:
        told = Path("/proc/vmstat").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^oom_kill (\d+)$", told, re.MULTILINE)
    return int(found[1]) if found else 0
