"""The wall clock beside the monotonic one: only one that was set back is not steady, and stays so."""

from collections.abc import Sequence
from pathlib import Path
from time import time_ns

import pytest
from mailrace.race.clock import Clock

from tests.race.verified_rounds import Rounds

S, MS = 1_000_000_000, 1_000_000


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([(2 * S, 2 * S), (3 * S, 3 * S)], [True, True], id="both go on"),
        pytest.param([(60 * S, 2 * S)], [True], id="set forward, or the machine slept"),
        pytest.param([(12 * S - 6 * MS, 12 * S)], [True], id="put right slowly"),
        pytest.param([(2 * S - 20 * MS, 2 * S)], [False], id="set back a little"),
        pytest.param([(-7 * S, 2 * S), (30 * S, 3 * S)], [False, False], id="set back, and forward again"),
    ],
)
def test_whether_it_was_set_back(looks: Sequence[tuple[int, int]], expected: list[bool]) -> None:
    told = iter([(S, S), *looks])
    clock = Clock(lambda: next(told))
    assert [clock.is_steady() for _ in looks] == expected


def test_where_it_was_no_arrival_is_compared_with_rounds_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = Rounds(tmp_path, [{"send": {"count": 2}}])
    earlier = []
    for back_s in (0, 0, 10, 0):
        monkeypatch.setattr("time.time_ns", lambda back_s=back_s: time_ns() - back_s * S)
        record = rounds.record()
        rounds.stores(record)
        earlier.append(rounds.look(record).earlier is not None)
    rounds.journal.close()
    assert earlier == [False, True, False, False]
