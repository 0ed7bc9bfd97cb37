"""Each verdict and each error has its exit status."""

import pytest
from mailrace.model.errors import (
    InternalError,
    ScenarioError,
    ScheduleMissed,
    TargetError,
    UsageError,
)
from mailrace.model.result import Verdict
from mailrace.verdict import (
    EXIT_STATUS,
    ExitStatus,
    exit_status,
    exit_status_of,
)


def test_exit_statuses() -> None:
    assert set(EXIT_STATUS) == set(Verdict)
    assert {status.name: int(status) for status in ExitStatus} == {
        "PASS": 0,
        "RACE": 1,
        "BAD_INPUT": 2,
        "INCONCLUSIVE": 3,
        "FAILED": 4,
        "INTERRUPTED": 130,
    }
    assert [exit_status([v]) for v in (Verdict.PASS, Verdict.RACE, Verdict.INCONCLUSIVE, Verdict.FAILED)] == [
        0,
        1,
        3,
        4,
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ScenarioError(()), 2),
        (UsageError(), 2),
        (ScheduleMissed(), 3),
        (TargetError(), 4),
        (InternalError(), 4),
        (RuntimeError(), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_end_with_their_status(error: BaseException, status: int) -> None:
    assert exit_status_of(error) == status
