"""One store for several instances that race natively: the proxy with nothing held, in a thread of its own."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from mailrace.scenario import Scenario
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy
from mailrace.steer.database_proxy.store import Store


def store_for(scenario: Scenario) -> AbstractContextManager[str]:
    """Where several instances are asked for, the address of one store between them, else ""."""
    return shared_store() if scenario.target.instances > 1 else nullcontext("")


@contextmanager
def shared_store() -> Iterator[str]:
    """The URL to give as `--database` to each instance, for as long as the block lasts (S12)."""
    loop, store = Loop(), Store()
    proxy = DatabaseProxy(loop, store)
    try:
        with loop.in_background():
            _, url = proxy.open_port()
            yield url
    finally:
        proxy.close()
        store.close()
        loop.close()
