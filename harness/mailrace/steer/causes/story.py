"""A realised schedule in, its story in sentences out: who read what, and who changed it meanwhile."""

from collections.abc import Sequence

from mailrace.model.cause import TURN
from mailrace.model.result import Step
from mailrace.steer.causes.sql import tables_of, told

BEFORE, AFTER = 3, 3
"""So many sentences at most on what came before the point of no return, and on what came after it."""


def story(steps: Sequence[Step], no_return: int, contested: frozenset[str]) -> tuple[str, ...]:
    """A sentence for each statement that touches what is contested, around the point of no return.

    no_return   index of the statement after which every completion is bad
    contested   tables that both decisive statements touch
    """
    touching = [
        index
        for index, step in enumerate(steps)
        if index == no_return or (not step.background and contested.intersection(tables_of(step.sql)))
    ]
    at = touching.index(no_return) if no_return in touching else 0
    lines = []
    for index in touching[max(0, at - BEFORE) : at + 1 + AFTER]:
        step = steps[index]
        after = f"; {TURN}" if index == no_return else ""
        lines.append(f"At statement {index + 1} {step.actor} {told(step.sql, step.result)}{after}")
    return tuple(lines)
