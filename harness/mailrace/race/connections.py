"""The connections of one lane: one an actor, one for setting up, and the decoy readers'."""

from collections.abc import Sequence

from mailrace.actors import Conversation, Link, Loop, ResponseParser, Script
from mailrace.actors.http import exchange
from mailrace.model.operation import Operation, Read, Spoken, protocol_of
from mailrace.model.target import Addresses, Target
from mailrace.targets import tls_context

DECOY_PATH = "/api/v1/tags"
DECOY_POLLS_MAX = 8
"""Polls in one round: enough to last through the window, few enough to leave the server to the actors."""


class Decoy:
    """Polls `GET /api/v1/tags` from `start` to `stop`, so that requests queue for the one connection."""

    def __init__(self, link: Link, addresses: Addresses, auth: tuple[str, str] | None) -> None:
        self.link = link
        self._addresses = addresses
        self._auth = auth
        self._is_stopped = False

    def start(self) -> None:
        """Begin to poll; one that still waits for its last answer, or gets no link, is left out."""
        if self.link.is_idle and self.link.ensure() is None:
            self._is_stopped = False
            self.link.begin(Conversation(self._script(), self.link.parser, hold_at=None))

    def stop(self) -> None:
        """Let the request under way be the last one."""
        self._is_stopped = True

    def _script(self) -> Script:
        read = Read(key="decoy", path=DECOY_PATH, times=1)
        assert isinstance(self.link.parser, ResponseParser)
        polls = 0
        while True:
            ending = yield from exchange(
                read, 1, {}, {}, self.link.parser, api=self._addresses.api, auth=self._auth
            )
            polls += 1
            if self._is_stopped or polls == DECOY_POLLS_MAX or not self.link.parser.is_reusable:
                return ending


class Connections:
    """Links to a started target, made on demand and kept; `close` ends them all.

    With several instances the actors are dealt out to them in turn.
    """

    def __init__(self, loop: Loop, target: Target, connect_s: float) -> None:
        self._loop = loop
        self._connect_s = connect_s
        self._target = target
        self._setup: Link | None = None
        self._decoys: list[Decoy] = []
        self._made: list[Link] = []

    def for_actors(self, operations: Sequence[Operation]) -> list[Link]:
        """A new link for each operation, not connected yet."""
        everywhere = self._target.addresses_all
        return [
            self._link(everywhere[i % len(everywhere)], protocol_of(operation))
            for i, operation in enumerate(operations)
        ]

    def setup(self) -> Link:
        """The SMTP link that stores what is given and that no actor uses."""
        if self._setup is None:
            self._setup = self._link(self._target.addresses, "smtp")
        return self._setup

    def decoys(self, count: int) -> list[Decoy]:
        """So many decoy readers, stopped."""
        while len(self._decoys) < count:
            link = self._link(self._target.addresses, "http")
            self._decoys.append(Decoy(link, self._target.addresses, self._target.credentials.api))
        return self._decoys[:count]

    def close(self) -> None:
        """Close every link; the next call makes new ones."""
        for link in self._made:
            link.close()
        self._made, self._decoys, self._setup = [], [], None

    def _link(self, addresses: Addresses, protocol: Spoken) -> Link:
        host, port, tls = addresses.of(protocol)
        link = Link(
            self._loop,
            host,
            port,
            protocol=protocol,
            tls=tls,
            tls_context=tls_context() if tls else None,
            auth=self._target.credentials.smtp if protocol == "smtp" else None,
            timeout_s=self._connect_s,
        )
        self._made.append(link)
        return link
