"""A model of a round in, one schedule of each of its outcomes run and judged; the bad ones out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailrace.model.anomaly import AnomalyName
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.following import follow
from mailrace.steer.explore.graph import Node
from mailrace.steer.explore.judge import Break, Judge, break_of
from mailrace.steer.explore.model_walk import Model, ModelWalk, Outcome
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.strategy import TRIES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEnd:
    """An outcome that broke a promise on the servers, twice: one schedule of it, an instance an actor.

    names         what it breaks; `breaks`: the same, each with the operation that was promised otherwise
    is_by_three   in no schedule that leads to it one actor runs alone before or after the other two
    leaves        of the graph that have this outcome, that of `execution` first; none for a hang or a crash
    """

    execution: Execution
    names: frozenset[AnomalyName]
    breaks: frozenset[Break]
    is_by_three: bool
    leaves: tuple[Node, ...]


def run_each(
    walk: ModelWalk, model: Model, executions: Sequence[Execution], by_pairs: Collection[Outcome]
) -> int:
    """Run a schedule of each outcome that no execution has come to, while there is time; how many were."""
    ran: set[Outcome] = set()
    for run in executions:
        leaf = model.graph.leaf_of(run.schedule)
        if leaf is not None and leaf in model.outcomes:
            ran.add(model.outcomes[leaf])
    for outcome in sorted(model.ends.keys() - ran, key=lambda one: (one in by_pairs, str(one))):
        if walk.is_out_of_time:
            break
        if walk.run(model, model.ends[outcome][0]) is not None:
            ran.add(outcome)
    return len(ran)


def run_in_words(walk: ModelWalk, model: Model, executions: Sequence[Execution]) -> str:
    """Run a schedule of each outcome that did not come yet; what was walked and run, as a clause."""
    ran = run_each(walk, model, executions, frozenset())
    if not model.graph.is_whole:
        return "a walk without a server that was not finished"
    outcomes = f"{ran} of {len(model.ends)} predicted outcomes run"
    walked = f"a walk of {model.schedules:,} schedules in {model.graph.nodes:,} states without a server"
    return f"{walked} ({outcomes}{f'; {walk.doubt}' if walk.doubt else ''})"


def bad_ends(
    separate: SeparateInstances,
    judge: Judge,
    model: Model,
    executions: Sequence[Execution],
    by_pairs: Collection[Outcome],
) -> tuple[tuple[BadEnd, ...], str]:
    """One execution of each bad outcome that came again; and what came only once, in words."""
    found: dict[object, BadEnd] = {}
    once: set[object] = set()
    for run in executions:
        names = judge.names(run)
        leaf = model.graph.leaf_of(run.schedule)
        outcome = model.outcomes.get(leaf) if leaf is not None else None
        key = outcome or names
        if not names or key in found:
            continue
        # Only what comes twice is told of: what came once may have been the machine's doing.
        if not _comes_again(separate, judge, run, names):
            once.add(key)
            continue
        leaves = () if outcome is None else model.ends[outcome]
        found[key] = BadEnd(
            execution=run,
            names=names,
            breaks=frozenset(break_of(a, run.record.plan) for a in judge.races(run)),
            is_by_three=outcome is not None and outcome not in by_pairs,
            leaves=tuple(sorted(leaves, key=lambda one: one is not leaf)),
        )
    left = len(once - found.keys())
    return tuple(found.values()), f"{left} bad outcomes did not come again" if left else ""


def _comes_again(
    separate: SeparateInstances, judge: Judge, run: Execution, names: frozenset[AnomalyName]
) -> bool:
    """Whether the very schedule breaks the same again; one that is missed is tried again."""
    for _ in range(TRIES_MAX):
        again = follow(separate, run)
        if again is not None:
            return judge.names(again) == names
    return False
