"""Takes verdicts and errors; gives the status with which the command ends: the one table of them."""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import reduce

from mailrace.model.errors import ScenarioError, ScheduleMissed, UsageError
from mailrace.model.result import Verdict


class ExitStatus(IntEnum):
    """What the command's exit status says (docs/verdicts.md)."""

    PASS = 0
    RACE = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    FAILED = 4
    INTERRUPTED = 130


EXIT_STATUS: Mapping[Verdict, ExitStatus] = {
    Verdict.RACE: ExitStatus.RACE,
    Verdict.FAILED: ExitStatus.FAILED,
    Verdict.INCONCLUSIVE: ExitStatus.INCONCLUSIVE,
    Verdict.PASS: ExitStatus.PASS,
    Verdict.NOT_APPLICABLE: ExitStatus.INCONCLUSIVE,
}
"""From the gravest verdict to the lightest. What does not apply counts only where nothing else was run."""

_GRAVITY = {verdict: place for place, verdict in enumerate(EXIT_STATUS)}


def merged(one: Verdict, other: Verdict) -> Verdict:
    """The graver of the two. NOT_APPLICABLE changes nothing, so verdicts may be merged in any order."""
    return min(one, other, key=_GRAVITY.__getitem__)


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """The word for several scenarios: RACE before FAILED before INCONCLUSIVE before PASS.

    INCONCLUSIVE where nothing was exercised: no verdict at all, or only NOT_APPLICABLE.
    """
    word = reduce(merged, verdicts, Verdict.NOT_APPLICABLE)
    return Verdict.INCONCLUSIVE if word is Verdict.NOT_APPLICABLE else word


def exit_status(verdicts: Iterable[Verdict]) -> int:
    """The status of a run with those verdicts."""
    return int(EXIT_STATUS[gravest(verdicts)])


def exit_status_of(error: BaseException) -> int:
    """The status of a run that such an error ended; any error that is not ours counts as FAILED."""
    match error:
        case ScenarioError() | UsageError():
            return int(ExitStatus.BAD_INPUT)
        case ScheduleMissed():
            return int(ExitStatus.INCONCLUSIVE)
        case KeyboardInterrupt():
            return int(ExitStatus.INTERRUPTED)
        case _:
            return int(ExitStatus.FAILED)
