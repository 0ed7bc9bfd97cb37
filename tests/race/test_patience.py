"""How long replies are waited for, once hangs of a server were waited for in full."""

import threading
from pathlib import Path

import pytest
from mailrace.actors import Loop

from tests.race.test_machine_trouble import LIMITS, raced_on

pytestmark = pytest.mark.slow


def test_where_hangs_were_seen_who_answers_late_does_not_hang(tmp_path: Path) -> None:
    """Its reply takes twice as long as the short look after a hang that was waited for in full."""
    answered, loop = threading.Event(), Loop()
    late = threading.Timer(2 * LIMITS.look_s, answered.set)
    with raced_on("embedded@fixed", tmp_path) as side:
        side.lane.patience.is_proven = True
        late.start()
        assert side.lane.patience.wait(loop, [], answered.is_set).is_done
    late.join()
    loop.close()
