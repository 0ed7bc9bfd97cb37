"""Pairs of operations in, one after the other on the same servers; what each comes to out, cause by cause.

A survey asks many small questions of one version. Servers are started once, and the store is put back for
each pair; whatever hung or ended is replaced.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailrace.model.anomaly import AnomalyName
from mailrace.model.cause import Cause
from mailrace.model.consequences import in_order
from mailrace.model.operation import PlannedRound, ServerOptions
from mailrace.steer.causes.coverage import orders_of, predicted, traced
from mailrace.steer.causes.grounds import Grounds, grounds_of
from mailrace.steer.causes.naming import origin_of
from mailrace.steer.causes.of_graph import view_of
from mailrace.steer.causes.view import Label
from mailrace.steer.explore.bad_ends import BadEnd
from mailrace.steer.explore.graph import Node, always
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.put_to_the_test import never_accepted, without_promise
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace, explore
from mailrace.steer.one_instance.beyond import at_point, bad_points, in_turn
from mailrace.steer.one_instance.pairs import OnOne, look_on_one
from mailrace.steer.one_instance.realise import Effort
from mailrace.steer.one_instance.realiser import Realiser
from mailrace.steer.one_instance.routes import fewest_preemptions, preemptions_of
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, set_up
from mailrace.steer.steering import GOMAXPROCS, opener_of
from mailrace.steer.three import Three, look_at_three, realise_three
from mailrace.targets import TargetName

INSTANCES = 2
LIST_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Traces:
    """Each operation run alone from the store of the pair: the statements that are in conflict.

    is_apart   there are none, both were accepted, and nothing came behind a reply
    """

    conflicts: tuple[tuple[Label, Label], ...]
    is_apart: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What one pair comes to.

    seen      what one instance showed at the release points
    causes    of schedules that one server allows, the worst first, with the easiest leaf of each
    apart     causes that need two servers on one store: these did it while the pair was explored
    doubt     why a clean pair is not clean for sure; "" if nothing says so
    refused   kinds of operations that were refused in every schedule, so that they promised nothing
    """

    space: StateSpace
    grounds: Grounds
    seen: OnOne
    causes: Mapping[str, tuple[Cause, Node, int]]
    apart: tuple[Cause, ...]
    doubt: str
    refused: tuple[str, ...]

    @property
    def schedules(self) -> tuple[int, int]:
        """(all, bad) that one server allows."""
        return self.space.count(self.seen.exclusions.allow)[:2]


@dataclass(slots=True)
class Surveying:
    """Servers of one version, with one pair after the other, or rounds of as many actors as `instances`."""

    target: TargetName
    options: ServerOptions
    folder: Path | None = None
    instances: int = INSTANCES
    is_fresh: bool = False  # see `Rig`
    gomaxprocs: int = GOMAXPROCS
    progress: Callable[[str], None] = lambda _: None
    extent: Extent = field(default_factory=Extent)
    """As much as of a scenario: what is cut off on a slow machine has causes of other names."""
    _rig: Rig | None = field(default=None, init=False)
    _round: Round | None = field(default=None, init=False)

    def version(self, planned: PlannedRound) -> str:
        """The version that the servers say they are; they are started for it. Raises TargetError."""
        return self._with(planned).rig.instances[0].target.info.version

    def three(self, planned: PlannedRound, seconds_max: float) -> Three | None:
        """See `look_at_three`."""
        return look_at_three(self._with(planned), seconds_max)

    def realise_three(self, planned: PlannedRound, three: Three, end: BadEnd, seconds_max: float) -> Cause:
        """See `realise_three`."""
        return realise_three(self._with(planned), three, end, seconds_max)

    def offered(self, planned: PlannedRound) -> tuple[str, ...]:
        """What the server's own list of operations holds, such as `GET /api/v1/info`; empty: it has none."""
        rig = self._with(planned).rig
        link = rig.instances[0].get("/api/v1/swagger.json", "offered")
        if not rig.loop.pump(lambda: link.is_idle, LIST_S_MAX):
            link.give_up()
            return ()
        ending = link.conversation.ending if link.conversation else None
        try:
            paths = json.loads(ending.text)["paths"] if ending is not None else {}
            return tuple(f"{method.upper()} {path}" for path, methods in paths.items() for method in methods)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return ()

    def trace(self, planned: PlannedRound, refused_by_right: frozenset[str]) -> Traces:
        """Each operation alone, from the same store. Raises TargetError, ScheduleMissed."""
        round_ = self._with(planned)
        separate = SeparateInstances(round_)
        each, is_whole = [], True
        for actor, operation in enumerate(planned.operations):
            separate.begin()
            separate.alone(actor)
            is_whole &= separate.is_all_taken(actor) or operation.kind in refused_by_right
            each.append(traced(round_.rig.footprints, separate.taken(actor)))
        separate.end()
        return Traces(found := tuple(predicted(each[0], each[1])), is_whole and not found)

    def look(self, planned: PlannedRound) -> Looked:
        """Every schedule of the pair, and what one instance allows of them. Raises TargetError."""
        space = explore(round_ := self._with(planned), self.extent)
        seen = look_on_one(round_, space)
        grounds = grounds_of(space, seen.exclusions.allow)
        found: dict[str, tuple[Cause, Node, int]] = {}
        for cause in grounds.causes():
            leaves = [leaf for leaf, origin in grounds.origins.items() if origin.name == cause.name]
            ranked = sorted((self._preemptions(space, seen, leaf), i) for i, leaf in enumerate(leaves))
            found[cause.name] = cause, leaves[ranked[0][1]], ranked[0][0]
        beyond = grounds_of(space, always).causes() if space.graph.is_whole else []
        apart = tuple(one for one in beyond if one.name not in found and not found)
        doubt = space.doubt or seen.points.in_words or without_promise(space.judge, space.executions)
        doubt = doubt or ("" if space.is_exhaustive else f"not finished, for {space.coverage.why_not}")
        return Looked(space, grounds, seen, found, apart, doubt, never_accepted(space))

    @staticmethod
    def _preemptions(space: StateSpace, seen: OnOne, leaf: Node) -> int:
        order = fewest_preemptions(space.graph, leaf, seen.exclusions.allow)
        return 99 if order is None else preemptions_of(space.graph, order, seen.exclusions.allow)

    def orders(self, looked: Looked) -> tuple[frozenset[tuple[int, Label, Label]], ...]:
        """The orders of two steps that one server allows, and those that two allow."""
        if (view := looked.grounds.view) is None:
            return frozenset(), frozenset()
        whole, _ = view_of(looked.space.graph, looked.space.bad_leaves, view.kinds, always)
        return orders_of(view), orders_of(whole)

    def realise(self, planned: PlannedRound, looked: Looked, name: str, seconds_max: float) -> Cause:
        """One class of the cause shown on one instance, the easiest, and its repairs tried out.

        `looked` is what `look` gave for this very round. The cause's fate says whether it came.
        """
        round_ = self._with(planned)
        _, leaf, _ = looked.causes[name]
        only = tuple((run, its) for run, its in looked.space.violating if its is leaf)
        space = replace(looked.space, violating=only)
        grounds = replace(looked.grounds, origins={leaf: looked.grounds.origins[leaf]})
        realiser = self._realiser(round_, space, grounds, seconds_max)
        shown = realiser.on_one(SharedInstance(round_, space.graph), looked.seen.exclusions.allow)
        return shown.causes[0]

    def at_points(self, planned: PlannedRound, looked: Looked) -> tuple[list[Cause], str]:
        """What one instance did at a release point, and no explored schedule does; and what is no race."""
        round_ = self._with(planned)
        shared = SharedInstance(round_, looked.space.graph)
        kinds = tuple(operation.kind for operation in planned.operations)
        realiser = self._realiser(round_, looked.space, looked.grounds, self.extent.seconds_max)
        judge, points, found, doubt = looked.space.judge, looked.seen.points, [], ""
        # What only schedules show that one server rules out is told where it did that all the same.
        reached = looked.space.reached(looked.seen.exclusions.allow)
        possible = (names for leaf, names in looked.space.bad_leaves.items() if leaf in reached)
        known: frozenset[AnomalyName] = frozenset().union(*possible)
        for once, run, names in bad_points(shared, judge, points, known):
            # It counts where it comes again, and is told as a doubt where it does not.
            if not names:
                doubt = in_turn(judge.names(run) - known)
                continue
            shown = at_point(realiser.prover, once, run, looked.seen.exclusions.allow, ())
            origin = origin_of(None, None, [n.value for n in names], kinds, is_reply_only=False)
            found.append(
                Cause(
                    name=origin.name,
                    harm=origin.harm,
                    anomalies=tuple(in_order(n.value for n in names)),
                    operations=kinds,
                    classes=1,
                    realised=int(not isinstance(shown, str)),
                    fate="unrealised" if isinstance(shown, str) else "realised",
                )
            )
        return found, doubt

    def stop(self) -> None:
        """End the servers; may be called twice."""
        if self._round is not None:
            self._round.close()
            self._round = None
        if self._rig is not None:
            self._rig.stop()
            self._rig = None

    def _realiser(self, round_: Round, space: StateSpace, grounds: Grounds, seconds_max: float) -> Realiser:
        effort = Effort(until=time.monotonic() + seconds_max, replay="mailrace steer")
        return Realiser(round_, space, grounds, effort, Observer(progress=self.progress))

    def _with(self, planned: PlannedRound) -> Round:
        """That round on servers that run already, or are started for it."""
        wanted = plain(with_own_spellings(planned))
        if self._rig is None:
            opener = opener_of(self.target, self.options, self.folder, self.gomaxprocs)
            rig = Rig(opener, options=self.options, is_fresh=self.is_fresh)
            with ExitStack() as undo:
                undo.callback(rig.stop)
                rig.start(self.instances)
                undo.pop_all()  # it runs, and `stop` will end it
            self._rig = rig
        if self._round is None or self._round.planned != wanted:
            if self._round is not None:
                self._round.close()
            self._round = None
            self._rig.silence.forget()  # what hung with others may only be slow with these
            self._round = set_up(self._rig, wanted)
        return self._round
