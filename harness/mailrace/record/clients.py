"""The client end of a loopback connection in, the process behind it out (Linux; elsewhere nobody is named).

`/proc/net/tcp` tells a socket's inode from its address, and `/proc/PID/fd` which process holds it. Processes
that were found before are asked first: a suite has few of them, and opens many connections.
"""

import itertools
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

KNOWN_MAX = 64
"""Processes that are remembered."""
LOOKS_MAX = 3
_PROC = Path("/proc")


class Clients:
    """Finds the process of a connection while the connection stands."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def behind(self, host: str, port: int) -> tuple[int, str]:
        """(process id, name) of the process whose socket has this address; (0, "") where it is not told."""
        # The kernel gives its table in pieces, and a socket can be missed while others come and go.
        inode = next((found for _ in range(LOOKS_MAX) if (found := _inode(host, port))), "")
        if not inode:
            return 0, ""
        # The last one that was found is asked first, then the youngest: most clients start with the suite.
        known = [*reversed(self._known)]
        for pid in itertools.chain(known, _others(known)):
            if _holds(pid, inode):
                name = self._known.pop(pid, "") or _name(pid)
                self._known[pid] = name
                if len(self._known) > KNOWN_MAX:
                    del self._known[next(iter(self._known))]
                return pid, name
        return 0, ""


def _others(known: Sequence[int]) -> Iterator[int]:
    """All other processes, the youngest first; they are listed only when they are asked for."""
    yield from sorted(set(psutil.pids()) - set(known), reverse=True)


def _inode(host: str, port: int) -> str:
    """The inode of the socket that is bound to this address; "" where there is none."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        table = (_PROC / "net" / ("tcp6" if ":" in host else "tcp")).read_text()
    except OSError:
        return ""
    # The kernel writes an address as 32-bit words in the machine's own order, in hexadecimal.
    words = (packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))
    address = f": {''.join(words)}:{port:04X} "
    at = table.find(address)
    return table[at : table.find("\n", at)].split()[9] if at >= 0 else ""


def _holds(pid: int, inode: str) -> bool:
    """Whether the process holds that socket; false where it is gone or not ours to look at."""
    folder, wanted = f"/proc/{pid}/fd", f"socket:[{inode}]"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                if os.readlink(f"{folder}/{name}") == wanted:
                    return True
    return False


def _name(pid: int) -> str:
    """The program and the first words of its command line, without what may hold a secret."""
    try:
        words = psutil.Process(pid).cmdline()[:2]
    except psutil.Error:
        return ""
    return " ".join(Path(word).name for word in words if "=" not in word and not word.startswith("-"))
