"""What is taken for a lock: only what kept another out each time it was looked at, and with patience too."""

from collections import Counter

from mailrace.steer.explore.programs import Programs
from mailrace.steer.one_instance.exclusions import Exclusions, Points, ReleasePoint, look_again
from mailrace.steer.one_instance.sections import Section, Sections

LOCK, TIMER, SELDOM = (Section("BEGIN", after, "BEGIN") for after in ("SELECT", "INSERT", "DELETE"))
POINT = ReleasePoint(0, 1, 1)


class Slept:
    """Stands for one instance: a timer's section lets others in as soon as it is looked at with patience."""

    def __init__(self, together: dict[Section, int]) -> None:
        self.sections = Sections(together=Counter(together))
        self.looked: list[frozenset[Section]] = []

    def run(self, _point: ReleasePoint, *, is_calm: bool) -> None:
        assert is_calm
        self.looked.append(self.sections.doubtful)
        for section in self.sections.doubtful:
            if section is TIMER:
                self.sections.entered.add(section)
            else:
                self.sections.together[section] += 1


def test_a_gap_seen_once_is_no_lock_and_patience_tells_a_lock_from_a_timer() -> None:
    single = Slept({LOCK: 2, TIMER: 3, SELDOM: 1})
    locks = Exclusions.seen(single, Programs({}, {}))  # type: ignore[arg-type]
    assert locks.together == {LOCK, TIMER}
    left = look_again(single, locks, Points((), 0, {LOCK: POINT, TIMER: POINT}))  # type: ignore[arg-type]
    assert left.together == {LOCK}
    assert single.looked == [{LOCK, TIMER}], "one run looks at every section that it comes by"
    assert single.sections.doubtful == frozenset()
