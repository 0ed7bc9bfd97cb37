"""Draws when each actor is released and beside how many decoys, with a seed; learns from what hit.

Two operations whose windows lie apart meet only at the right offset between them, and that depends on the
server and the machine. Each bin of offsets, and the presence of decoys, is an arm of a Thompson sampler: an
arm is drawn as often as it is likely to be the best, so none is ever given up. Old results fade, because a
server's windows drift.
"""

import itertools
import random
from dataclasses import dataclass

from mailrace.model.operation import Operation, Send

_EDGES_US = (20.0, 60.0, 150.0, 400.0, 900.0)
DECOYS = 2
DECOY_SHARE_MIN = 0.1


@dataclass(frozen=True, slots=True)
class Draw:
    """The chance part of a round; both rounds of a pair get the same one.

    shift_us   offset of the second party against the first, µs
    jitter     one number in -1 … 1 an actor, used within a party
    decoys     decoy readers beside the round
    arm        the bin that `shift_us` came from
    exact_us   the recorded offsets of a replay, for as many operations
    """

    shift_us: float
    jitter: tuple[float, ...]
    decoys: int
    arm: int
    exact_us: tuple[float, ...] = ()

    def offsets_us(self, operations: tuple[Operation, ...]) -> tuple[float, ...]:
        """The release offset of each operation, µs.

        The first party is the operations of the first one's kind, the second party the others; where all are
        of one kind (parallel senders), the second half is the second party.
        """
        if len(self.exact_us) == len(operations):
            return self.exact_us
        if is_one_party(operations):
            second = [2 * i >= len(operations) for i in range(len(operations))]
        else:
            second = [_kind(operation) != _kind(operations[0]) for operation in operations]
        within_us = min(20.0, abs(self.shift_us) / 4)
        return tuple(
            (self.shift_us if is_second else 0.0) + self.jitter[i % len(self.jitter)] * within_us
            for i, is_second in enumerate(second)
        )


def is_one_party(operations: tuple[Operation, ...]) -> bool:
    """Whether all operations are of one kind, such as parallel senders."""
    return len({_kind(operation) for operation in operations}) <= 1


def _kind(operation: Operation) -> tuple[str, str]:
    return operation.kind, operation.via if isinstance(operation, Send) else ""


class Tuner:
    """Draws rounds and learns from them.

    range_us   limits the offsets; None: ±900 µs, in nine bins
    recorded   offsets and decoys of a recorded round: every draw is that one
    is_one_party   all do the same, so their windows meet at a common release: begin there, and leave it only
                   if it misses
    weighs_time    hits per second count (profile `throughput`), not hits per round: decoys take time
    """

    def __init__(
        self,
        seed: int,
        range_us: tuple[float, float] | None = None,
        recorded: tuple[tuple[float, ...], int] | None = None,
        *,
        is_one_party: bool = False,
        weighs_time: bool = False,
    ) -> None:
        self._random = random.Random(f"tuner-{seed}")
        self._recorded = recorded
        if range_us is None:
            positive = list(itertools.pairwise(_EDGES_US))
            self._bins = [(-b, -a) for a, b in reversed(positive)]
            self._bins += [(-_EDGES_US[0], _EDGES_US[0]), *positive]
        else:
            low, high = range_us
            step = (high - low) / 9
            self._bins = [(low + i * step, low + (i + 1) * step) for i in range(9)] if step else [range_us]
        # Each arm counts hits and misses, and begins with one of either. Parallel senders meet at a common
        # release, so for them the outer bins begin with more misses, the middle one with 8 hits of 10.
        middle = (len(self._bins) - 1) // 2
        self._bin_hits = [[1.0, 1.0 + is_one_party * abs(i - middle)] for i in range(len(self._bins))]
        if is_one_party:
            self._bins[middle] = (0.0, 0.0) if range_us is None else self._bins[middle]
            self._bin_hits[middle] = [8.0, 2.0]
        self._decoy_hits = {True: [1.0, 1.0], False: [1.0, 1.0]}
        self._took_s: dict[bool, float] = {}
        self._weighs_time = weighs_time

    def draw(self) -> Draw:
        """The next round's chance part."""
        if self._recorded is not None:
            offsets, decoys = self._recorded
            shift = offsets[-1] - offsets[0] if offsets else 0.0
            return Draw(shift_us=shift, jitter=(0.0,), decoys=decoys, arm=0, exact_us=offsets)
        chance = self._random
        arm = max(range(len(self._bins)), key=lambda i: chance.betavariate(*self._bin_hits[i]))
        jitter = tuple(chance.uniform(-1, 1) for _ in range(64))
        return Draw(
            shift_us=chance.uniform(*self._bins[arm]),
            jitter=jitter,
            decoys=DECOYS if self._wants_decoys() else 0,
            arm=arm,
        )

    def learn(self, draw: Draw, *, hit: bool, seconds: float = 1.0) -> None:
        """Learn what that draw gave and how long it took. Old results fade, by 1 % each: windows drift."""
        if self._weighs_time:
            kind = draw.decoys > 0
            before_s = self._took_s.get(kind, seconds)
            self._took_s[kind] = 0.9 * before_s + 0.1 * seconds
        for counts in (self._bin_hits[draw.arm], self._decoy_hits[draw.decoys > 0]):
            counts[0] = 1 + (counts[0] - 1) * 0.99 + hit
            counts[1] = 1 + (counts[1] - 1) * 0.99 + (not hit)

    def _wants_decoys(self) -> bool:
        chance = self._random
        if len(self._took_s) == 1:
            return True not in self._took_s  # one kind is timed, the other not yet
        with_them, without = (
            chance.betavariate(*self._decoy_hits[kind]) / self._took_s.get(kind, 1.0)
            for kind in (True, False)
        )
        share = with_them > without
        if chance.random() < 2 * DECOY_SHARE_MIN:
            return chance.random() < 0.5
        return share
