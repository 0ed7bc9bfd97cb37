"""An explored round and what one server allows in, its root causes out, each with its repair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mailrace.check import is_about_replies_only
from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause, KeptTogether, Repair
from mailrace.model.consequences import in_order
from mailrace.model.result import Step
from mailrace.steer.causes.naming import Origin, by_harm, origin_of
from mailrace.steer.causes.no_return import Outlook, outlook
from mailrace.steer.causes.of_graph import view_of
from mailrace.steer.causes.repair import Repair as Found
from mailrace.steer.causes.repair import Repairs, Stretch, find_repairs
from mailrace.steer.causes.sql import tables_of
from mailrace.steer.causes.story import story
from mailrace.steer.causes.view import Label, View, completions
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows, Node
from mailrace.steer.explore.state_space import StateSpace

WORK_MAX = 1_000_000
"""States times bad leaves up to which the decisive pair of each leaf is looked for: a few seconds."""
_NOTHING = Repairs((), (), (0, 0), True)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why the schedules of one round end badly.

    view      None: the graph is not whole, so that nothing can be said of schedules that were not run
    origins   of each bad leaf that one server comes to, where that is known
    repairs   of all its bad schedules together
    """

    space: StateSpace
    view: View | None
    origins: Mapping[Node, Origin]
    repairs: Repairs

    def cause(self, origin: Origin) -> Cause:
        """The cause as it is known before any of its classes is realised."""
        leaves = [leaf for leaf, its in self.origins.items() if its == origin]
        names = {name.value for leaf in leaves for name in self.space.bad_leaves[leaf]}
        pair = origin.pair
        each = () if pair is None else (pair.early, pair.late)
        return Cause(
            name=origin.name,
            harm=origin.harm,
            anomalies=tuple(in_order(names)),
            operations=tuple(kind for kind, _ in each) or origin.kinds,
            statements=tuple(f"{kind}: {label.template}" for kind, label in each),
            classes=sum(leaf in leaves for _, leaf in self.space.violating),
            schedules=self.repairs.today[0],
            bad=self.repairs.today[1],
            repair=tuple(map(_told, self.repairs.smallest)),
            no_help=tuple(map(_told, self.repairs.no_help)),
            is_cut=not self.repairs.is_whole,
        )

    def causes(self) -> list[Cause]:
        """All of them, the worst harm first."""
        return [self.cause(origin) for origin in by_harm(dict.fromkeys(self.origins.values()))]

    def outlook(self, schedule: Sequence[int]) -> Outlook | None:
        """How a schedule went wrong, step by step; None where that is not known."""
        return None if self.view is None else outlook(self.view, tuple(schedule))


def grounds_of(space: StateSpace, allowed: Follows, *, with_repairs: bool = True) -> Grounds:
    """The grounds of what was explored; `allowed`: what one server lets happen.

    A bad leaf that no allowed schedule comes to needs more servers than one, and has no origin.
    """
    kinds = tuple(operation.kind for operation in space.executions[0].record.plan.operations)
    view: View | None = None
    number: Mapping[Node, int] = {}
    if space.graph.is_whole:
        view, number = view_of(space.graph, space.bad_leaves, kinds, allowed)
    known = set(space.graph.all()) if view is not None else set()
    # A pair is looked for over the whole graph for each bad leaf, so very large ones are named without it.
    is_small = view is not None and len(view.moves) * len(space.bad_leaves) <= WORK_MAX
    origins = {}
    for execution, leaf in space.violating:
        # What hung or crashed has no leaf in the graph: it counts, and no pair of statements is named.
        if leaf not in number and leaf in known:
            continue
        names = space.bad_leaves[leaf]
        if leaf not in origins:
            origins[leaf] = origin_of(
                view if is_small else None,
                number.get(leaf),
                (name.value for name in names),
                kinds,
                is_reply_only=_is_reply_only(space, execution, names),
            )
    repairs = repairs_of(view) if view is not None and with_repairs else _NOTHING
    return Grounds(space, view, origins, repairs)


def repairs_of(view: View) -> Repairs:
    """The repairs of a view; where every schedule is bad there is none to look for."""
    total, bad = completions(view)
    is_open = bad[0] < total[0]
    return find_repairs(view) if is_open else replace(_NOTHING, today=(total[0], bad[0]))


def _is_reply_only(space: StateSpace, execution: Execution, names: frozenset[AnomalyName]) -> bool:
    return names == {AnomalyName.NOT_SERIALIZABLE} and is_about_replies_only(
        execution.record, space.judge.serial
    )


def why_of(cause: Cause, its: Outlook, execution: Execution, steps: Sequence[Step]) -> tuple[str, ...]:
    """The story of a realised schedule, a sentence a statement; `steps` are those of its witness."""
    if its.step < 0 or not cause.statements:
        return ()
    early, late = (set(tables_of(text)) for text in cause.statements)
    # A step may be a transaction of several statements: the last of it is what makes the end certain.
    statements = [len(s.calls) for step in execution.steps[: its.step + 1] for s in step.statements]
    return story(steps, sum(statements) - 1, frozenset(early | late))


def _told(found: Found) -> Repair:
    kept = tuple(
        KeptTogether(
            operation=s.kind,
            first=s.first.template,
            last=s.last.template,
            steps=s.steps,
            nth=(s.first.occurrence, s.last.occurrence),
        )
        for s in found.stretches
    )
    return Repair(kept=kept, schedules=found.schedules, bad=found.bad)


def stretches_of(repair: Repair) -> tuple[Stretch, ...]:
    """The stretches of a repair that was told."""
    return tuple(
        Stretch(k.steps, k.operation, Label(k.first, k.nth[0]), Label(k.last, k.nth[1])) for k in repair.kept
    )
