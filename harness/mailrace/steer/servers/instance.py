"""One server on the proxy: its target, the port that its statements come through, the links to it."""

import time
from collections.abc import Callable

from mailrace.actors import Conversation, ResponseParser, script_of
from mailrace.actors.link import Link
from mailrace.model.attempt import Word
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.operation import Read, Spoken
from mailrace.model.target import Target
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy
from mailrace.steer.database_proxy.quiet import wait_quiet

IDLE_S_MAX = 25.0
"""A kept connection that was idle longer is opened anew: the server may have closed it."""

Opener = Callable[[str], Target]
"""A target that is not started, for a `--database` URL."""


class Instance:
    """A server that we started, and may stop and start again at any time; its proxy port stays the same."""

    def __init__(self, loop: Loop, proxy: DatabaseProxy, opener: Opener) -> None:
        self._loop = loop
        self._proxy = proxy
        self._opener = opener
        self.index, self._url = proxy.open_port()
        self.target: Target = opener(self._url)
        self._links: dict[str, tuple[Link, float]] = {}

    @property
    def pid(self) -> int:
        """Its process id."""
        pid = self.target.pid()
        if pid is None:
            raise TargetError(f"{self.target.name}: steer needs a server that mailrace starts itself")
        return pid

    @property
    def how_it_ended(self) -> str:
        """How its process ended: "exit status 1", "signal 9"; "" while it runs."""
        return self.target.how_it_ended()

    def start(self) -> None:
        """Start it while the proxy answers in the background."""
        with self._loop.in_background():
            self.target.start()

    def replace(self) -> None:
        """Stop it, with all that waits of it, and start another in its place: a hung server stays hung.

        Returns when that one is quiet: a fresh Mailpit is ready before it has sent the last statement of its
        migrations, which would be taken for an actor's.
        """
        self.stop()
        self.target = self._opener(self._url)
        self.start()
        wait_quiet(self._loop, [self.pid])

    def stop(self) -> None:
        """Cut its links and end it; may be called twice."""
        self.cut_links()
        self._proxy.drop_instance(self.index)
        self.target.stop()

    def cut_links(self) -> None:
        """Close every link to it; the next one is made anew."""
        for link, _ in self._links.values():
            link.close()
        self._links.clear()

    def link(self, name: str, protocol: Spoken) -> Link:
        """An open link of that name, kept between orders.

        Raises TargetError where the server gives none, ScheduleMissed where our own machine has none.
        """
        now = time.monotonic()
        # A shrunk round may have another operation at the same place, so the protocol is part of the name.
        name = f"{name} {protocol}"
        link, used = self._links.get(name, (None, 0.0))
        if link is not None and link.is_open and now - used < IDLE_S_MAX:
            self._links[name] = (link, now)
            return link
        if link is not None:
            link.close()
        host, port, _ = self.target.addresses.of(protocol)
        link = Link(self._loop, host, port, protocol=protocol)
        failed = link.connect()
        if failed is not None and failed.word is Word.OWN_TROUBLE:
            raise ScheduleMissed(failed.text)
        if failed is not None:
            raise TargetError(f"{self.target.name}: no connection to {host}:{port}: {failed.text}")
        self._links[name] = (link, now)
        return link

    def known_link(self, name: str) -> Link | None:
        """The HTTP link of that name, if there was one."""
        name = f"{name} http"
        return self._links[name][0] if name in self._links else None

    def get(self, path: str, name: str) -> Link:
        """Begin `GET path` on the link of that name; its conversation says how it ends."""
        link = self.link(name, "http")
        if not isinstance(link.parser, ResponseParser):  # narrows the type; HTTP links have no other
            raise TargetError(f"{name} is no HTTP link")
        operation = Read(key=name, path=path, times=1)
        script = script_of(operation, 1, {}, {}, link.parser, api=self.target.addresses.api)
        link.begin(Conversation(script, link.parser, hold_at=None))
        return link
