"""The recorder holds nothing of what it has recorded: ten times the operations take no more memory."""

import http.client
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import psutil
import pytest
from mailrace.history import RECORD

from tests.record.recorder_command import LIMIT_S, Running, recorder

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


def bytes_when_written(running: Running, lines: BinaryIO, operations: int) -> int:
    """The memory of the recorder once so many more operations stand in the record."""
    while operations:
        operations -= lines.readline().startswith(b'{"kind":"operation"')
    return int(psutil.Process(running.process.pid).memory_info().rss)


@pytest.mark.slow
def test_ten_times_the_operations_take_no_more_memory(tmp_path: Path) -> None:
    with recorder(tmp_path / "r") as running:
        ask(running, FEW)
        with (tmp_path / "r" / RECORD).open("rb") as lines:
            before = bytes_when_written(running, lines, FEW)
            ask(running, 10 * FEW)
            after = bytes_when_written(running, lines, 10 * FEW)
            assert lines.tell() > GROWTH_MAX_BYTES
        assert after - before < GROWTH_MAX_BYTES
        assert running.end()[0] == 0
