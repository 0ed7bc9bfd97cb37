"""One port of a server, and where the recorder listens for it."""

import errno
import os
import socket
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One port of the server, and where the relay listens for it (port 0: one that the system gives).

    Upstream is a host and a port, or the path of a unix socket.
    """

    protocol: str
    upstream_host: str = ""
    upstream_port: int = 0
    upstream_path: str = ""
    host: str = "127.0.0.1"
    port: int = 0

    def resolved(self) -> "Service":
        """The same with the server's address as a number, so that no connection waits for a name."""
        if self.upstream_path:
            return self
        found = socket.getaddrinfo(self.upstream_host, self.upstream_port, type=socket.SOCK_STREAM)
        return replace(self, upstream_host=str(found[0][4][0]))

    def connecting(self) -> socket.socket:
        """A socket that connects in the background, so that a silent server keeps nobody waiting.

        Raises OSError where the server refuses at once.
        """
        place: str | tuple[str, int]
        if self.upstream_path:
            sock, place = socket.socket(socket.AF_UNIX), self.upstream_path
        else:
            sock = socket.socket(socket.AF_INET6 if ":" in self.upstream_host else socket.AF_INET)
            place = (self.upstream_host, self.upstream_port)
        sock.setblocking(False)
        wrong = sock.connect_ex(place)
        if wrong not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(wrong, os.strerror(wrong))
        return sock
