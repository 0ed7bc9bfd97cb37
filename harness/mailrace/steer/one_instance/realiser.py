"""Violating classes in, realisations out: each shown on the instances asked for, and again ten times."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from mailrace.model.anomaly import AnomalyName
from mailrace.model.result import Violation
from mailrace.steer.causes.grounds import Grounds
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.following import follow
from mailrace.steer.explore.graph import Follows, Node, always
from mailrace.steer.explore.judge import ENDS
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.state_space import StateSpace, graph_of
from mailrace.steer.one_instance.beyond import at_point, bad_points, in_turn, without_graph
from mailrace.steer.one_instance.exclusions import Points
from mailrace.steer.one_instance.planned_schedule import Draws
from mailrace.steer.one_instance.prover import Prover
from mailrace.steer.one_instance.realisations import Realisation, Realisations
from mailrace.steer.one_instance.realise import REPEATS, Effort, Realised, realise
from mailrace.steer.one_instance.routes import preemptions_of
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.told_causes import told_causes, with_repairs_tried
from mailrace.steer.one_instance.violating_class import ViolatingClass, by_hardness, split_in_words
from mailrace.steer.one_instance.witness import text
from mailrace.steer.servers.rest import rest_differs
from mailrace.steer.servers.round import Round

DOUBTFUL_S_MAX = 20.0
"""For all classes together where the graph of states is in doubt."""


@dataclass(frozen=True, slots=True)
class Realiser:
    """Realises what a state space holds."""

    round_: Round
    space: StateSpace
    grounds: Grounds
    effort: Effort
    observer: Observer

    @property
    def prover(self) -> Prover:
        """Who makes the witnesses."""
        return Prover(self.space, self.grounds, self.effort.replay, self.observer)

    def on_one(self, shared: SharedInstance, allowed: Follows, points: Points | None = None) -> Realisations:
        """Every violating class on one instance, the easiest first.

        points   release points of that instance: what it did there and no explored schedule does is shown too
        """
        points = points or Points((), 0, {})
        # Where the graph is in doubt it is no good guide, so what needs none is looked at first.
        found = self._at_release_points(shared, allowed, points) if self.space.doubt else []
        ends = min(self.effort.until, time.monotonic() + (DOUBTFUL_S_MAX if self.space.doubt else inf))
        draws = Draws()
        ranked = by_hardness(self.space, allowed)
        for number, one in enumerate(ranked):
            # What is left of the time is shared among the classes that are left.
            now = time.monotonic()
            until = now + (ends - now) / (len(ranked) - number)
            if self._is_shown_already(one.leaf, found):
                found.append(Realisation(said=self._said(one, "left_out")))
            elif one.easiest is not None:
                self.observer.progress(f"realising {number + 1} of {len(ranked)} violating classes")
                found.append(self._realised(shared, one, allowed, draws, until, found))
            elif self.space.is_mapped(one.runs[0]):
                why = split_in_words(self.space.graph, one.runs[0], allowed)
                found.append(Realisation(said=self._said(one, "split_only", why)))
            else:
                self.observer.progress(f"realising {number + 1} of {len(ranked)} violating classes")
                found.append(self._as_explored(one, until, found))
            self.observer.decided(found[-1].said)
        # What only classes show that one instance rules out is no less new where it did that all the same.
        possible = (one.names for one in found if one.said.fate != "split_only")
        known: frozenset[AnomalyName] = frozenset().union(*possible)
        doubts: dict[frozenset[AnomalyName], str] = {}
        told: frozenset[AnomalyName] = frozenset()
        for once, run, names in bad_points(shared, self.space.judge, points, known):
            if not names:
                doubts[self.space.judge.names(run)] = in_turn(self.space.judge.names(run) - known)
            if names <= told:
                continue
            shown = at_point(self.prover, once, run, allowed, found)
            if isinstance(shown, str):
                doubts[names] = shown
            else:
                told |= names
                found.append(shown)
                self.observer.decided(shown.said)
        doubt = next((why for names, why in doubts.items() if not names <= told), "")
        is_missed = points.missed > 0
        is_open = is_missed or any(one.said.fate == "unrealised" for one in found)
        if is_open and not self.space.doubt and not any(one.is_realised for one in found):
            found += self._at_release_points(shared, allowed, points)
        return self._all(found, allowed, doubt)

    def _at_release_points(
        self, shared: SharedInstance, allowed: Follows, points: Points
    ) -> list[Realisation]:
        """A race that one instance shows at a release point, with or without the graph, if there is one."""
        if len(self.round_.actors) != 2:
            return []
        for once, run, names in bad_points(shared, self.space.judge, points):
            shown = at_point(self.prover, once, run, allowed, ()) if names else ""
            if not isinstance(shown, str):
                self.observer.decided(shown.said)
                return [shown]
        more = without_graph(self.prover, shared, allowed, self.effort.until)
        if more is None:
            return []
        self.observer.decided(more.said)
        return [more]

    def on_separate(self) -> Realisations:
        """Every violating class on as many instances as it was explored on: that schedule, and again."""
        separate = SeparateInstances(self.round_, habits=self.space.habits)
        instances = len(self.round_.actors)
        found: list[Realisation] = []
        for run, leaf in self.space.violating:
            self.round_.rig.silence.forget()
            runs = [again for _ in range(REPEATS + 1) if (again := follow(separate, run)) is not None]
            done = Realised(tuple(runs or [run]), 1, (1,) * REPEATS, 0.0)
            same = self.prover.same(done, self.space.judge.names(run))
            said = replace(self.prover.as_it_was(run, always, same, instances), cause=self._cause(leaf))
            if same:
                found.append(self.prover.proven(said, (run,), done, always, found, instances=instances))
            else:
                why = f"it came once, and not in {len(runs)} repeats"
                found.append(Realisation(said=replace(said, fate="unrealised", why=why)))
            self.observer.decided(said)
        separate.end()
        return self._all(found, always)

    def _all(self, found: Sequence[Realisation], allowed: Follows, doubt: str = "") -> Realisations:
        """The realisations with the root causes that they show; repairs are tried while there is time."""
        first = {one.said.cause: one.first for one in reversed(found) if one.first and one.said.cause}
        causes = told_causes(self.grounds, first, [one.said for one in found])
        if self.effort.one_of_each != "anomaly":
            causes = with_repairs_tried(self.round_, self.grounds, causes, allowed, self.effort.until)
        witnesses = tuple(w for one in found for w in one.witnesses)
        notes = tuple(note for one in found for note in one.notes)
        return Realisations(tuple(found), tuple(causes), witnesses, notes=notes, doubt=doubt)

    def _cause(self, leaf: Node) -> str:
        origin = self.grounds.origins.get(leaf)
        return origin.name if origin is not None else ""

    def _said(self, one: ViolatingClass, fate: str, why: str = "") -> Violation:
        names = tuple(sorted(self.space.bad_leaves[one.leaf]))
        cause = self._cause(one.leaf)
        return Violation(anomalies=names, classes=len(one.runs), fate=fate, why=why, cause=cause)

    def _is_shown_already(self, leaf: Node, found: Sequence[Realisation]) -> bool:
        """Whether a class that was realised before stands for this one, as far as that was asked for.

        An anomaly that no class has shown yet is always worth a class of its own, whatever its cause.
        """
        realised = [one for one in found if one.is_realised]
        names: frozenset[AnomalyName] = frozenset().union(*(one.names for one in realised))
        if self.effort.one_of_each == "class" or not self.space.bad_leaves[leaf] <= names:
            return False
        if self.space.doubt:
            return True
        cause = self._cause(leaf)
        return self.effort.one_of_each == "anomaly" or cause in {one.said.cause for one in realised} - {""}

    def _as_explored(self, one: ViolatingClass, until: float, found: Sequence[Realisation]) -> Realisation:
        """A class that stands in no whole graph: only the schedule that was explored can be followed.

        What one instance keeps together was seen at few release points there, if at any, so nothing is ruled
        out: the tries on the real instance decide.
        """
        run = one.runs[0]
        graph = graph_of(self.round_, self.space.programs, run.schedule)
        leaf = graph.leaf_of(run.schedule)
        if leaf is None or len(self.round_.actors) != 2:
            why = "it stands in no whole graph of schedules"
            return Realisation(said=self._said(one, "unrealised", why))
        names = self.space.judge.names(run)
        narrow = replace(self, space=replace(self.space, graph=graph, bad_leaves={leaf: names}))
        alone = ViolatingClass(leaf, one.runs, run.schedule, preemptions_of(graph, run.schedule, always))
        done = narrow._realised(SharedInstance(self.round_, graph), alone, always, Draws(), until, found)
        return replace(done, said=replace(done.said, cause=self._cause(one.leaf)))

    def _realised(
        self,
        shared: SharedInstance,
        one: ViolatingClass,
        allowed: Follows,
        draws: Draws,
        until: float,
        found: Sequence[Realisation],
    ) -> Realisation:
        """Try to bring the instance to the class's leaf until the time is up; `found` came before it."""
        wanted, graph = self.space.bad_leaves[one.leaf], self.space.graph
        notes: list[str] = []

        def is_shown(run: Execution) -> bool:
            # What users see comes by REST: where that shows another store, nothing was shown to anybody.
            if self.space.judge.names(run) != wanted:
                return False
            wrong = "" if run.record.hung else rest_differs(self.round_.rig, run.record.stored)
            if wrong:
                notes.append(f"after a realised schedule {wrong}")
            return not wrong

        done = realise(
            shared,
            one.leaf,
            allowed,
            is_bad=is_shown,
            draws=draws,
            is_out_of_time=lambda: time.monotonic() > until,
        )
        # What came is told, else what was easiest: any schedule of the class was welcome.
        schedule = one.easiest or ()
        if done.is_realised and graph.leaf_of(done.runs[0].schedule) is not None:
            schedule = done.runs[0].schedule
        said = replace(
            self._said(one, "unrealised", "its draws of the pool did not come within the tries and the time"),
            schedule=text(schedule, self.space.actors, graph, allowed, 1),
            deviations=preemptions_of(graph, schedule, allowed),
            chance=round(done.chance, 5),
            tries=done.tries,
            seconds=round(done.seconds, 3),
        )
        same = self.prover.same(done, wanted)
        if done.is_realised and not same and wanted.intersection(ENDS):
            said = replace(said, why=f"it came once, and not in {len(done.runs) - 1} repeats")
        elif done.is_realised:
            again_tries = sum(done.repeat_tries)
            said = replace(
                said, fate="realised", why="", again=same, repeats=REPEATS, again_tries=again_tries
            )
            proven = self.prover.proven(said, one.runs, done, allowed, found)
            return replace(proven, notes=tuple(notes))
        return Realisation(said=said, notes=tuple(notes))
