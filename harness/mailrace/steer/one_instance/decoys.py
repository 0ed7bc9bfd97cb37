"""Parked reads on one instance: each queues for its pool connection, so that the pool draws among several."""

from mailrace.actors.link import Link
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.servers.instance import Instance

DECOYS_MAX = 8
PATH = "/api/v1/tags"
"""Answered by one statement (`statement_text.DECOY`), which only reads."""


class Decoys:
    """The decoys of one run; their links are kept between runs."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._links: list[Link] = []

    @property
    def busy(self) -> int:
        """How many are queued, or held at the proxy."""
        self._links = [link for link in self._links if not link.is_idle]
        return len(self._links)

    def queue(self, wanted: int) -> None:
        """Begin so many more, at most `DECOYS_MAX` in all."""
        for _ in range(min(wanted, DECOYS_MAX - self.busy)):
            self._links.append(self._instance.get(PATH, self._free()))

    def end(self, loop: Loop) -> None:
        """Let them be answered; what is not is given up."""
        loop.pump(lambda: not self.busy, 1.0)
        for link in self._links:
            if not link.is_idle:
                link.give_up()
        self._links = []

    def _free(self) -> str:
        """The name of a link that has nothing under way."""
        names = [f"decoy{index}" for index in range(DECOYS_MAX)]
        links = [self._instance.known_link(name) for name in names]
        return next(n for n, k in zip(names, links, strict=True) if k is None or k.is_idle)
