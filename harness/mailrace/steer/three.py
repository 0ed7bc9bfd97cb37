"""Takes a round of three actors; gives what the three show and no two of them do.

All schedules are walked without a server (`model_walk`), and one of each outcome is run on the real servers,
which judge it. An outcome is shown by pairs where some schedule to it lets one of the three run alone before
or after the other two: then it takes two actors at a time, as a pair does. Any other takes three.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from mailrace.model.cause import Cause
from mailrace.steer.causes.grounds import Grounds, grounds_of, repairs_of
from mailrace.steer.causes.naming import Origin, by_harm
from mailrace.steer.causes.view import completions
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.bad_ends import BadEnd, bad_ends, run_each
from mailrace.steer.explore.depth_first import DepthFirst
from mailrace.steer.explore.graph import Graph, Node, always
from mailrace.steer.explore.judge import Judge, learn_serial
from mailrace.steer.explore.model_walk import ModelWalk, is_apart
from mailrace.steer.explore.observer import NOBODY
from mailrace.steer.explore.programs import Learner, Programs
from mailrace.steer.explore.put_to_the_test import never_accepted, without_promise
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.soundness import unexplored
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.explore.strategy import Budget, Coverage, run_schedules
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.routes import fewest_preemptions, preemptions_of
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.told_causes import with_repairs_tried
from mailrace.steer.servers.rest import rest_differs
from mailrace.steer.servers.round import Round

WALK_S_MAX = 30.0
CLASSES_MAX = 400
CLASSES_S_MAX = 5.0
LEAVES_MAX = 40
"""Where nothing bad was found and so few leaves are there, up to that many classes of schedules are run."""
WEIGHED_MAX = 20
"""So many leaves of one outcome are weighed for the one that one server is most easily brought into."""


class Found(NamedTuple):
    """A cause with an end that shows it. `new`: what of it no two actors at a time show, in words; or ""."""

    cause: Cause
    end: BadEnd
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Three:
    """What three actors come to.

    outcomes       that are predicted; `run`: those of which a schedule was run on the servers
    asked          schedules that were run to learn what an actor does
    is_exhaustive  every class of schedules was run on the servers as well
    doubt          why more may be wrong than was found, in words; "" if nothing says so
    refused        kinds of operations that were refused in every schedule, so that they promised nothing
    """

    space: StateSpace
    grounds: Grounds
    bad: tuple[BadEnd, ...]
    outcomes: int
    run: int
    asked: int
    is_exhaustive: bool
    doubt: str
    refused: tuple[str, ...]

    @property
    def schedules(self) -> tuple[int, int]:
        """(all, bad) that are predicted, with an instance an actor; (0, 0) where the walk is not whole."""
        if self.grounds.view is None:
            return 0, 0
        total, bad = completions(self.grounds.view)
        return total[0], bad[0]

    @property
    def is_told_from_pairs(self) -> bool:
        """Whether it is known of each bad end if two actors at a time come to it."""
        return self.space.graph.is_whole or not any(end.is_by_three for end in self.bad)

    def found(self, known: Collection[str]) -> list[Found]:
        """Each cause with an end that shows it; `known`: names of causes that pairs have shown elsewhere.

        New is what breaks a promise to somebody to whom no two of the three break it, or breaks it with a
        worse harm; and what is decided by two statements that decide no end of two actors at a time. Where no
        two statements decide an end its cause has no name to be compared, so only the first counts. Where
        not all states were walked nothing is new, for two of them may come to it by one that was not.
        """
        ends: dict[str, list[tuple[BadEnd, Origin]]] = {}
        for origin in by_harm(dict.fromkeys(self.grounds.origins.values())):
            mine = [one for one in self.bad if one.leaves and self.grounds.origins[one.leaves[0]] == origin]
            ends.setdefault(origin.name, []).extend((end, origin) for end in mine)
        every = [one for its in ends.values() for one in its]
        by_two = {(b, origin.harm) for end, origin in every if not end.is_by_three for b in end.breaks}

        def is_more(one: tuple[BadEnd, Origin]) -> bool:
            return (
                self.is_told_from_pairs
                and one[0].is_by_three
                and not {(b, one[1].harm) for b in one[0].breaks} <= by_two
            )

        # Of each cause that end is told which shows most of it.
        found = []
        for name, its in ends.items():
            end, origin = min(its, key=lambda one: (not is_more(one), not one[0].is_by_three))
            is_own = origin.pair is not None and name not in known and all(e.is_by_three for e, _ in its)
            new = "what it breaks" if is_more((end, origin)) else "its cause" if is_own else ""
            found.append(Found(self.grounds.cause(origin), end, new))
        return found


def look_at_three(round_: Round, seconds_max: float = WALK_S_MAX) -> Three | None:
    """Walk every schedule of the round without a server, and run one of each outcome. Raises TargetError.

    None: one of the actors shares nothing with the other two, so that the pair of these shows all.
    """
    until = time.monotonic() + seconds_max
    separate = SeparateInstances(round_)
    judge, serial = learn_serial(separate, round_.rig.options)
    if is_apart(round_, serial):
        separate.end()
        return None

    # What users see comes by REST: a server that hides its store there is not clean. It is asked before
    # anything else is run, for then the store is that of the last order.
    last = serial[-1]
    hidden = "" if last.has_ended_badly else rest_differs(round_.rig, last.record.stored)

    # The serial orders show each operation at work. Where the walk comes to what none of them showed, the
    # servers are asked.
    executions = list(serial)
    walk = ModelWalk(separate, Learner(), lambda _, run: executions.append(run), until)
    for run in serial:
        walk.learner.see(run)
    model = walk.model()

    # Then each outcome is run: what takes three actors first, in case that there is not time for all.
    by_pairs = model.shown_by_pairs()
    ran = run_each(walk, model, executions, by_pairs)
    bad, once = bad_ends(separate, judge, model, executions, by_pairs)
    space = replace(_space(round_, judge, executions, model.graph, bad), habits=separate.habits)
    hidden = hidden or round_.views.trouble
    doubt, refused = hidden or once or walk.doubt or without_promise(judge, executions), never_accepted(space)
    if not doubt and not model.graph.is_whole:
        doubt = f"not all of its states were walked within {seconds_max:.0f} s"
    if not doubt and ran < len(model.ends):
        doubt = f"{len(model.ends) - ran} of its {len(model.ends)} outcomes were not run on the servers"
    is_small = sum(map(len, model.ends.values())) <= LEAVES_MAX
    is_clean = not (doubt or refused or bad)
    is_exhaustive = is_clean and is_small and _is_every_class_good(separate, judge, model.graph)
    separate.end()
    return Three(
        space=space,
        grounds=grounds_of(space, always, with_repairs=False),
        bad=bad,
        outcomes=len(model.ends),
        run=ran,
        asked=model.asked,
        is_exhaustive=is_exhaustive,
        doubt=doubt,
        refused=refused,
    )


def _space(
    round_: Round, judge: Judge, executions: Sequence[Execution], graph: Graph, bad: Sequence[BadEnd]
) -> StateSpace:
    """What was run and walked as the other rooms take it. It is never complete: most of it is predicted."""
    return StateSpace(
        actors=round_.actors,
        judge=judge,
        coverage=Coverage(explored=len(executions), limit="its states were walked without a server"),
        programs=Programs({}, {}),
        graph=graph,
        executions=tuple(executions),
        violating=tuple((end.execution, end.leaves[0] if end.leaves else Node(())) for end in bad),
        bad_leaves={leaf: end.names for end in bad for leaf in end.leaves or (Node(()),)},
        doubt="",
        seconds={},
    )


def _is_every_class_good(separate: SeparateInstances, judge: Judge, graph: Graph) -> bool:
    """Whether every class of schedules could be run on the servers in a short time, and none was bad."""
    executions: list[Execution] = []
    budget = Budget(schedules_max=CLASSES_MAX, until=time.monotonic() + CLASSES_S_MAX)
    found = run_schedules(separate, DepthFirst(), budget, lambda _, run: executions.append(run))
    is_clean = not any(map(judge.names, executions)) and not separate.habits.strays
    return found.is_complete and is_clean and not unexplored(graph, executions)


def realise_three(round_: Round, three: Three, end: BadEnd, seconds_max: float) -> Cause:
    """The cause of an end, brought about on one instance where that works; its fate says whether it did.

    `three` is what `look_at_three` gave for this very round. Repairs are named where the walk is whole and in
    no doubt, and tried out as those of a pair are: few schedules are left with the runs kept together.
    """
    graph, until = three.space.graph, time.monotonic() + seconds_max
    origin = three.grounds.origins[end.leaves[0]]
    # Of the schedules that come to this outcome those are tried that the pool gives most easily.
    orders = [(fewest_preemptions(graph, leaf, always) or (), leaf) for leaf in end.leaves[:WEIGHED_MAX]]
    easiest = min(orders, key=lambda one: (preemptions_of(graph, one[0], always), one[0]))[1]
    space = replace(three.space, violating=((end.execution, easiest),))
    view = None if three.doubt else three.grounds.view
    repairs = repairs_of(view) if view is not None else three.grounds.repairs
    grounds = replace(three.grounds, space=space, origins={easiest: origin}, repairs=repairs)
    effort = Effort(until=until, one_of_each="anomaly", replay="mailrace steer")
    shown = Realiser(round_, space, grounds, effort, NOBODY).on_one(SharedInstance(round_, graph), always)
    (cause,) = with_repairs_tried(round_, grounds, shown.causes[:1], always, until)
    return cause if cause.fate == "realised" else replace(cause, fate="three servers")
