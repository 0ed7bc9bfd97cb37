"""Takes the client's end of a loopback connection; gives the process behind it (on Linux; elsewhere none).

The kernel tells a socket's inode by its two addresses (sock_diag(7)), and `/proc/PID/fd` which process holds
it. Processes that were found before are looked at first: a suite has few of them, and opens many connections.
A client waits meanwhile, so nothing here searches a table that grows with the number of connections, as
/proc/net/tcp does.
"""

import itertools
import os
import re
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

KNOWN_MAX = 64
"""How many processes are remembered."""
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_ASKED = struct.Struct("=IHHIIBBBBIHH16s16sIII")
"""nlmsghdr and inet_diag_req_v2 of linux/inet_diag.h; ports and addresses are in network order."""
_USER_AND_INODE = struct.Struct("=II")
_USER_AT = 80
_NAME = re.compile(r"[\w.+-]+")
_SCRIPT = re.compile(r"[\w.-]+\.(?:py|[cm]?[jt]s|rb|php|sh|pl|phar|jar|exs?)")


class Clients:
    """Finds the process of a connection while the connection stands."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def behind(self, client: tuple[str, int], here: tuple[str, int]) -> tuple[int, str]:
        """(process id, name) of the process whose socket is connected from `client` to `here`.

        (0, "") where it is not told: the client is on another machine, or belongs to another user.
        """
        inode, user = _socket(client, here)
        if not inode or (user != os.geteuid() and os.geteuid() != 0):
            # The processes of another user cannot be looked into, so they are not searched through.
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


def _socket(client: tuple[str, int], here: tuple[str, int]) -> tuple[int, int]:
    """The inode and the user of the client's socket; (0, 0) where this machine has no such socket."""
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    addresses = (socket.inet_pton(family, host) for host in (client[0], here[0]))
    ports = (socket.htons(port) for port in (client[1], here[1]))
    head = (_ASKED.size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    what = (family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    asked = _ASKED.pack(*head, *what, *ports, *addresses, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(1.0)
            kernel.send(asked)
            said = kernel.recv(4096)
    except (AttributeError, OSError):
        return 0, 0  # this is no Linux, or one that does not tell
    if len(said) < _USER_AT + _USER_AND_INODE.size or said[4:6] != asked[4:6]:
        return 0, 0
    user, inode = _USER_AND_INODE.unpack_from(said, _USER_AT)
    return inode, user


def _holds(pid: int, inode: int) -> bool:
    """Whether the process holds that socket; false where it is gone or not ours to look at."""
    folder, wanted = f"/proc/{pid}/fd", f"socket:[{inode}]"
    with suppress(OSError):
        for name in os.listdir(folder):
            with suppress(OSError):
                if os.readlink(f"{folder}/{name}") == wanted:
                    return True
    return False


def _name(pid: int) -> str:
    """The program, and the script that it runs; other words of a command may hold a secret."""
    try:
        words = psutil.Process(pid).cmdline()[:3]
    except psutil.Error:
        return ""
    program, rest = words[:1], words[1:]
    scripts = [Path(word).name for word in rest if _SCRIPT.fullmatch(Path(word).name)]
    names = [found[0] for word in program if (found := _NAME.match(Path(word).name))]
    return " ".join([*names, *scripts[:1]])
