"""Fixtures for races with servers in the tests' own process."""

import threading
from collections.abc import Iterator

import pytest

CUTTER = "mailrace-cutter"
"""The one thread that ends late calls of this process: it begins with the first call, and stays."""


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    before = running()
    yield
    assert running() == before, "a server's thread is left"


def running() -> int:
    return sum(one.name != CUTTER for one in threading.enumerate())
