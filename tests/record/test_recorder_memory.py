"""The recorder holds nothing of what it has recorded: ten times the operations take no more memory."""

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from mailrace.history import RECORD

from tests.record.recorder_command import LIMIT_S, Running, recorder
from tests.running import TICK

FEW = 200
GROWTH_MAX_BYTES = 5_000_000
"""Less than ten times the few operations would take if each were kept: their lines alone are more."""


def ask(running: Running, times: int) -> None:
    """So many requests over one connection."""
    place = urlsplit(running.url)
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=LIMIT_S)
    for number in range(times):
        link.request("GET", f"/api/v1/search?query=to:nobody{number}{'x' * 2800}@x.test")
        link.getresponse().read()
    link.close()


def bytes_when_written(running: Running, record: Path, operations: int) -> int:
    """The memory of the recorder once so many operations stand in the record, which is written in batches."""
    end = time.monotonic() + LIMIT_S
    while (seen := record.read_bytes().count(b'\n{"kind":"operation"')) < operations:
        assert time.monotonic() < end, f"{seen} of {operations} operations were written"
        TICK.wait(0.05)
    return int(psutil.Process(running.process.pid).memory_info().rss)


@pytest.mark.slow
def test_ten_times_the_operations_take_no_more_memory(tmp_path: Path) -> None:
    record = tmp_path / "r" / RECORD
    with recorder(tmp_path / "r") as running:
        ask(running, FEW)
        before = bytes_when_written(running, record, FEW)
        ask(running, 10 * FEW)
        after = bytes_when_written(running, record, 11 * FEW)
        assert record.stat().st_size > GROWTH_MAX_BYTES
        assert after - before < GROWTH_MAX_BYTES
        assert running.end()[0] == 0
