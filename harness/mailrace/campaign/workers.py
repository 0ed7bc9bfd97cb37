"""Takes `--workers` as it was typed; gives a connection to workers, on this machine or of a scheduler.

Workers on this machine are threads of this process and listen on no network. Whoever can reach a scheduler
elsewhere can run programs on its workers and here, because Dask sends pickles; so its address comes from the
command line only (docs/campaign.md).
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

from mailrace.model.errors import MachineTrouble, UsageError
from mailrace.model.phrases import plural

WORKERS_MAX = 256
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_LOOPBACK = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Workers:
    """Who is to do the work: `count` workers on this machine, or those of a scheduler."""

    count: int = 0
    address: str = ""

    @property
    def are_here(self) -> bool:
        """Whether they run on this machine, as threads of this process."""
        return not self.address

    def __str__(self) -> str:
        return self.address or f"{plural(self.count, 'worker')} on this machine"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the scheduler, and (`workers_s`) while it has no worker at all."""

    scheduler_s: float = 20.0
    workers_s: float = 60.0


def workers_of(text: str) -> Workers:
    """What `--workers` asks for. Raises UsageError with what is wanted."""
    if text.isdecimal() and text.isascii() and 1 <= int(text[:6]) <= WORKERS_MAX:
        return Workers(count=int(text))
    if (found := _ADDRESS.fullmatch(text)) and 1 <= int(found[3]) <= 65_535:
        return Workers(address=text)
    raise UsageError(
        f"--workers {text!r:.120}: wanted a number from 1 to {WORKERS_MAX}, or the address of a Dask "
        "scheduler as in tcp://10.0.0.5:8786 (tls:// where it speaks TLS)"
    )


class Told(TypedDict):
    """What a worker tells of a cell while it looks at it: the cell's key, who and where, and a sentence."""

    key: str
    by: str
    host: str
    said: str


class DaskFuture(Protocol):
    """What Dask gives for a cell that was sent, as far as it is used here."""

    status: str

    def done(self) -> bool:
        """Whether it is over, well or not."""

    def result(self) -> object:
        """What the worker gave; waits for it."""

    def exception(self) -> BaseException | None:
        """Why it failed."""

    def cancel(self) -> None:
        """Nobody wants it any more."""

    def add_done_callback(self, told: "Callable[[DaskFuture], None]") -> None:
        """Tell when it is over."""


class DaskClient(Protocol):
    """Dask's connection to a scheduler, as far as it is used here."""

    status: str

    def scheduler_info(self, n_workers: int) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """What the scheduler knows, among it its `workers`."""

    def subscribe_topic(self, topic: str, handler: Callable[[tuple[float, Told]], None]) -> None:
        """Hand on what workers tell under a topic, each with the time."""

    def submit(
        self, function: Callable[[str], str], text: str, *, key: str, pure: Literal[False]
    ) -> DaskFuture:
        """Send a call to a worker."""

    def close(self, timeout: float) -> None:
        """End the connection."""


class DaskCluster(Protocol):
    """A scheduler and workers of Dask on this machine."""

    def close(self, timeout: float) -> None:
        """End them."""


@contextmanager
def connected(workers: Workers, patience: Patience) -> Iterator[DaskClient]:
    """A client of Dask's for these workers, closed at the end with what was started for it.

    Raises UsageError where Dask is not installed, MachineTrouble where no scheduler answers.
    """
    try:
        import dask
        import distributed  # noqa: F401
    except ImportError as lack:
        raise UsageError(
            f"--workers needs Dask ({lack}): pip install 'mailrace[campaign]', on the workers' machines too"
        ) from None
    # Dask's log lines are about connections; we tell in our own words what they mean for the campaign.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    no_routes = {f"distributed.{one}.http.routes": list[str]() for one in ("scheduler", "worker")}
    with dask.config.set(no_routes):
        cluster = _here(workers.count) if workers.are_here else None
        client = None
        try:
            client = _client(workers, cluster, patience)
            yield client
        finally:
            if client is not None:
                client.close(timeout=2)
            if cluster is not None:
                cluster.close(timeout=20)


def _client(workers: Workers, cluster: DaskCluster | None, patience: Patience) -> DaskClient:
    """A client of the cluster, or of the scheduler that was named. Raises what `connected` raises."""
    import distributed

    class Client(distributed.Client):  # type: ignore[misc]
        def __del__(self) -> None:
            """Nothing: Dask's own would wait, when the process ends, for a client that was never made."""

    made: Future[DaskClient] = Future()

    def make() -> None:
        try:
            where = cluster or workers.address
            made.set_result(
                Client(where, timeout=patience.scheduler_s, set_as_default=False, name="mailrace")
            )
        except Exception as error:
            made.set_exception(error)

    # Where something else than a scheduler answers, Dask's own limit does not hold, so the limit is kept
    # here.
    threading.Thread(target=make, daemon=True).start()
    try:
        return made.result(2 * patience.scheduler_s)
    except TypeError as error:
        raise UsageError(
            f"--workers {workers}: no certificates are set for TLS ({error!s:.200}); how: docs/campaign.md"
        ) from None
    except (OSError, ValueError, RuntimeError) as error:
        detail = f" ({error!s:.200})" if str(error) else ""
        raise MachineTrouble(
            f"--workers {workers}: no scheduler of Dask answers there{detail}; start one: dask scheduler"
        ) from error


def _here(count: int) -> DaskCluster:
    """`count` workers as threads; the only open port is one on the loopback that serves nothing."""
    import distributed

    cluster: DaskCluster = distributed.LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=False,
        memory_limit=0,
        dashboard_address=_LOOPBACK,
        scheduler_kwargs={"dashboard": False},
        worker_dashboard_address=_LOOPBACK,
        local_directory=os.environ.get("TMPDIR"),
        silence_logs=logging.CRITICAL,
    )
    return cluster
