"""Fixtures for races with servers in the tests' own process."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    threads = threading.active_count()
    yield
    assert threading.active_count() == threads, "a server's thread is left"
