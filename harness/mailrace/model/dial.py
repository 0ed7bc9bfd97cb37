"""Takes an address; gives a connected socket: TCP over IPv4 or IPv6, or a Unix socket.

It stands in `model` because actors and targets both connect, and do so in one way.
"""

import socket

Address = tuple[str, int]
"""(host, port); of a Unix socket (its absolute path, 0)."""

LOOPBACK = ("::1", "127.0.0.1")
UNIX_PATH_BYTES_MAX = 107
"""The longest path of a Unix socket (`sockaddr_un`, without the byte that ends it)."""


def is_unix(host: str) -> bool:
    """Whether a host is the path of a Unix socket."""
    return host.startswith("/")


def shown(address: Address) -> str:
    """The address as a person writes it: `HOST:PORT`, `[::1]:PORT` or `unix:/PATH`."""
    host, port = address
    if is_unix(host):
        return f"unix:{host}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dial(address: Address, timeout_s: float) -> socket.socket:
    """A connected socket with that time limit. Raises OSError where nothing listens there.

    `localhost` stands for both loopback addresses, whatever the machine's list of hosts says: a server may
    listen on only one of them.
    """
    host, port = address
    if is_unix(host):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout_s)
            sock.connect(host)
        except OSError:
            sock.close()
            raise
        return sock
    try:
        sock = socket.create_connection(address, timeout=timeout_s)
    except (ConnectionRefusedError, socket.gaierror) as refused:
        found = _by_loopback(port, timeout_s) if host.lower().rstrip(".") == "localhost" else None
        if found is None:
            raise refused
        sock = found
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _by_loopback(port: int, timeout_s: float) -> socket.socket | None:
    for host in LOOPBACK:
        try:
            return socket.create_connection((host, port), timeout=timeout_s)
        except OSError:
            continue
    return None
