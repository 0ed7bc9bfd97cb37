"""What is taken for a lock: only what kept another out each time it was looked at, and with patience too."""

from collections import Counter

from mailrace.steer.locks import Locks, Points, ReleasePoint, look_again
from mailrace.steer.pilot import Gap
from mailrace.steer.programs import Programs

LOCK, TIMER, SELDOM = (Gap("BEGIN", after, "BEGIN") for after in ("SELECT", "INSERT", "DELETE"))
POINT = ReleasePoint(0, 1, 1)


class Slept:
    """Stands for one instance: a timer's gap lets others in as soon as it is looked at with patience."""

    def __init__(self, together: dict[Gap, int]) -> None:
        self.together = Counter(together)
        self.apart: set[Gap] = set()
        self.doubtful: frozenset[Gap] = frozenset()
        self.looked: list[frozenset[Gap]] = []

    def run(self, _point: ReleasePoint, *, is_calm: bool) -> None:
        assert is_calm
        self.looked.append(self.doubtful)
        for gap in self.doubtful:
            if gap is TIMER:
                self.apart.add(gap)
            else:
                self.together[gap] += 1


def test_a_gap_seen_once_is_no_lock_and_patience_tells_a_lock_from_a_timer() -> None:
    single = Slept({LOCK: 2, TIMER: 3, SELDOM: 1})
    locks = Locks.seen(single, Programs())  # type: ignore[arg-type]
    assert locks.together == {LOCK, TIMER}
    left = look_again(single, locks, Points((), 0, {LOCK: POINT, TIMER: POINT}))  # type: ignore[arg-type]
    assert left.together == {LOCK}
    assert single.looked == [{LOCK, TIMER}], "one run looks at every gap that it comes by"
    assert single.doubtful == frozenset()
