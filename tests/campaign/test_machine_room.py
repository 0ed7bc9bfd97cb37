"""A machine's room: many steer at once, one races alone, and who waits to race is not overtaken."""

import fcntl
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cells import request, scenario
from mailrace.campaign.machine import Room
from mailrace.model.errors import MachineTrouble
from mailrace.model.request import Output
from mailrace.run import run
from running import wait_until

LIMIT_S = 20.0


def shared(room: Room) -> None:
    wait_until(room.share, LIMIT_S)


def racing(room: Room) -> None:
    shared(room)
    with room.alone():
        pass


class Guest:
    """A thread with files of its own, as a process has: `inside` is set while it is in, until `leave`."""

    def __init__(self, folder: Path, enter: Callable[[Room], None]) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._visit, args=(folder, enter), daemon=True)
        self.thread.start()

    def _visit(self, folder: Path, enter: Callable[[Room], None]) -> None:
        room = Room.of(folder)
        enter(room)
        self.inside.set()
        assert self.leave.wait(LIMIT_S)
        self.inside.clear()
        room.close()

    def end(self) -> None:
        self.leave.set()
        self.thread.join(LIMIT_S)


def holds_turn(folder: Path) -> bool:
    """Whether somebody waits to race, and so holds the turn."""
    with next(folder.glob("*.turn")).open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def test_many_share_the_room(tmp_path: Path) -> None:
    guests = [Guest(tmp_path, shared) for _ in range(3)]
    assert all(one.inside.wait(LIMIT_S) for one in guests)
    for one in guests:
        one.end()


def test_who_races_waits_for_all_others_and_is_not_overtaken(tmp_path: Path) -> None:
    first = Guest(tmp_path, shared)
    assert first.inside.wait(LIMIT_S)
    racer = Guest(tmp_path, racing)
    wait_until(lambda: holds_turn(tmp_path))
    late = Guest(tmp_path, shared)
    # The first one is still in, so the racer is not, and who came after the racer waits behind it.
    assert not racer.inside.is_set()
    first.end()
    assert racer.inside.wait(LIMIT_S)
    assert not late.inside.is_set()
    racer.end()
    assert late.inside.wait(LIMIT_S)
    late.end()


def test_two_that_want_to_race_come_one_after_the_other(tmp_path: Path) -> None:
    guests = [Guest(tmp_path, racing) for _ in range(2)]
    wait_until(lambda: any(one.inside.is_set() for one in guests))
    first, second = sorted(guests, key=lambda one: not one.inside.is_set())
    assert not second.inside.is_set()
    first.end()
    assert second.inside.wait(LIMIT_S)
    second.end()


def test_a_process_that_inherits_the_room_holds_it_until_it_ends(tmp_path: Path) -> None:
    room, other = Room.of(tmp_path), Room.of(tmp_path)
    assert room.share()
    words = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    heir = subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=room.handles)
    room.close()
    _, handle = other.handles
    with pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    heir.communicate(b"", LIMIT_S)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    other.close()


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    room = Room.of(tmp_path)
    room.close()
    (lock,) = tmp_path.glob("*.room")
    lock.unlink()
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MachineTrouble, match="cannot be opened"):
        Room.of(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "times"), [("race", 1), ("steer", 0)])
def test_only_what_is_raced_natively_is_alone(tmp_path: Path, mode: Any, times: int) -> None:
    entered = []

    def alone() -> AbstractContextManager[None]:
        entered.append(1)
        return nullcontext()

    name = "shared-new-tag" if mode == "race" else "no-rset-after-failure"
    asked = replace(request("embedded@1.17.0", mode, rounds=1), output=Output(out=tmp_path / "o"))
    run([scenario(name)], asked, alone=alone)
    assert len(entered) == times
