"""The loop's turns: short waits are as short as asked, and end at once where something is there."""

import socket
import time

import pytest
from mailrace.steer.database_proxy.loop import Loop


@pytest.fixture
def loop() -> Loop:
    return Loop()


def took_s(loop: Loop, timeout_s: float) -> float:
    began = time.monotonic()
    loop.turn(timeout_s)
    return time.monotonic() - began


def test_a_wait_under_a_millisecond_is_one(loop: Loop) -> None:
    """epoll's own would be 1 ms; the shortest of 50, for a busy machine makes single ones longer."""
    taken = [took_s(loop, 0.0002) for _ in range(50)]
    assert 0.0002 <= min(taken) < 0.001
    loop.close()


@pytest.mark.parametrize("timeout_s", [0.001, 1.0])
def test_a_turn_ends_when_something_is_there(loop: Loop, timeout_s: float) -> None:
    ours, theirs = socket.socketpair()
    heard = []
    loop.listen(ours, lambda: heard.append(ours.recv(10)))
    theirs.send(b"x")
    assert loop.turn(timeout_s) == 1
    assert heard == [b"x"]
    assert loop.turn(0.0001) == 0
    loop.close()
    ours.close()
    theirs.close()
