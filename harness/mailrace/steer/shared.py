"""One store for several instances that race natively: the door with nothing held, in a thread of its own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from mailrace.scenario import Scenario
from mailrace.steer.door import Door
from mailrace.steer.loop import Loop
from mailrace.steer.store import Store


def store_for(scenario: Scenario) -> AbstractContextManager[str]:
    """Where several instances are asked for, the address of one store between them, else ""."""
    return shared_store() if scenario.target.instances > 1 else nullcontext("")


@contextmanager
def shared_store() -> Iterator[str]:
    """The URL to give as `--database` to each instance, for as long as the block lasts (S12)."""
    loop, store = Loop(), Store()
    door = Door(loop, store)
    try:
        with loop.in_background():
            _, url = door.open_port()
            yield url
    finally:
        door.close()
        store.close()
        loop.close()
