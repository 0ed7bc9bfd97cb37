"""Takes what was realised of a round; gives its root causes for a report, with their repairs tried out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailrace.model.cause import Cause, Repair
from mailrace.model.result import ScheduleWitness, Violation
from mailrace.steer.causes.grounds import Grounds, stretches_of, why_of
from mailrace.steer.causes.verify import verified
from mailrace.steer.causes.view import Label
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.database_proxy.statement_text import text_of
from mailrace.steer.explore.graph import Follows
from mailrace.steer.servers.round import Round

REPAIRS_MAX = 3
"""So many of the smallest repairs are tried out on servers; the others rest on the graph alone."""


@dataclass(frozen=True, slots=True)
class First:
    """The execution that showed a cause first, as its witness has it; `number`: that of the witness."""

    execution: Execution
    witness: ScheduleWitness
    number: int


def told_causes(grounds: Grounds, first: Mapping[str, First], violations: Sequence[Violation]) -> list[Cause]:
    """Every cause with what became of it, and the story of the class that was realised first."""
    found = []
    for cause in grounds.causes():
        its = [v for v in violations if v.cause == cause.name]
        realised = sum(v.classes for v in its if v.fate == "realised")
        # What nobody tried, since what it breaks was shown already, is not known to be no race.
        is_tried = any(v.fate != "left_out" for v in its) or not its
        told = replace(cause, realised=realised, fate=cause.fate if is_tried else "left_out")
        found.append(_with_story(grounds, told, first[cause.name]) if cause.name in first else told)
    return found


def _with_story(grounds: Grounds, cause: Cause, first: First) -> Cause:
    cause = replace(cause, fate="realised", schedule=first.witness.text, witness=first.number)
    its = grounds.outlook(first.execution.schedule)
    if its is None:
        return cause
    return replace(
        cause,
        shares=tuple(round(share, 4) for share in its.shares),
        drawn=tuple(round(share, 4) for share in its.drawn),
        no_return=its.step + 1,
        why=why_of(cause, its, first.execution, first.witness.steps),
    )


def marked(witness: ScheduleWitness, grounds: Grounds, execution: Execution) -> ScheduleWitness:
    """The witness with its point of no return, and the statements that the smallest repair keeps together."""
    its = grounds.outlook(execution.schedule)
    if its is None or grounds.view is None:
        return witness
    stretches = grounds.repairs.smallest[0].stretches if grounds.repairs.smallest else ()
    sent: dict[int, list[Label]] = {}
    number = no_return = 0
    kept: list[int] = []
    for index, step in enumerate(execution.steps):
        before = sent.setdefault(step.actor, [])
        template = text_of(step.statements[0].sql)
        before.append(Label(template, 1 + sum(label.template == template for label in before)))
        # A step may be a transaction of several statements; what is kept together is kept from first to last.
        statements = range(number + 1, number + 1 + sum(len(s.calls) for s in step.statements))
        number = statements[-1]
        no_return = number if index == its.step else no_return
        mine = [s for s in stretches if s.kind == grounds.view.kinds[step.actor]]
        if any(s.first in before and s.last not in before[:-1] for s in mine):
            kept += statements
    return replace(witness, no_return=no_return, kept=tuple(kept))


def with_repairs_tried(
    round_: Round, grounds: Grounds, causes: Sequence[Cause], allowed: Follows, until: float
) -> list[Cause]:
    """The causes, their repairs run on separate instances until the time is up."""
    if grounds.view is None or not causes:
        return list(causes)
    # All causes of a round share their repairs, for a repair leaves no bad schedule of any kind.
    tried: dict[Repair, Repair] = {}
    for repair in causes[0].repair[:REPAIRS_MAX]:
        if time.monotonic() < until:
            found = verified(round_, grounds.space, grounds.view, stretches_of(repair), allowed)
            tried[repair] = replace(repair, verified=found)
    return [replace(one, repair=tuple(tried.get(r, r) for r in one.repair)) for one in causes]
