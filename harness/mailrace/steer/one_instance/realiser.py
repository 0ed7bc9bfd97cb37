"""Violating classes in, witnesses out: each shown on the instances asked for, and again ten times."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mailrace.check import explain
from mailrace.history import Journal, Realisation
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import ScheduleMissed
from mailrace.model.request import OneOfEach
from mailrace.model.result import ScheduleWitness, Violation, Witness
from mailrace.steer.causes.grounds import Grounds
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows, Node, always
from mailrace.steer.explore.judge import ENDS
from mailrace.steer.explore.separate_instances import SeparateInstances, follow
from mailrace.steer.explore.state_space import StateSpace, graph_of
from mailrace.steer.one_instance.exclusions import split_in_words
from mailrace.steer.one_instance.planned_schedule import Draws
from mailrace.steer.one_instance.realisations import Realisations
from mailrace.steer.one_instance.realise import REPEATS, Realised, realise
from mailrace.steer.one_instance.routes import fewest_preemptions, preemptions_of
from mailrace.steer.one_instance.scheduler import Scheduler
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.one_instance.told_causes import First, marked, told_causes, with_repairs_tried
from mailrace.steer.one_instance.witness import text, witness_of
from mailrace.steer.servers.rest import rest_differs
from mailrace.steer.servers.rig import Rig


@dataclass(slots=True)
class Realiser:
    """Realises what a state space holds. `replay`: the command that replays a witness, but for its round."""

    rig: Rig
    space: StateSpace
    replay: str
    until: float
    progress: Callable[[str], None]
    grounds: Grounds
    one_of_each: OneOfEach = "cause"
    journal: Journal | None = None
    shown: Realisations = field(default_factory=Realisations)
    draws: Draws = field(default_factory=Draws)
    first: dict[str, First] = field(default_factory=dict)
    """By cause what was realised first."""

    def on_one(self, single: SharedInstance, allowed: Follows) -> Realisations:
        """Every violating class on one instance, the easiest first."""
        leaves: dict[Node, list[Execution]] = {}
        for run, leaf in self.space.violating:
            leaves.setdefault(leaf, []).append(run)
        planned = {leaf: fewest_preemptions(self.space.graph, leaf, allowed) for leaf in leaves}
        ranked = sorted(leaves, key=lambda leaf: self._hardness(planned[leaf], allowed))
        for number, leaf in enumerate(ranked, start=1):
            runs, order = leaves[leaf], planned[leaf]
            names = self.space.bad_leaves[leaf]
            said = Violation(
                anomalies=tuple(sorted(names)), classes=len(runs), fate="left_out", cause=self._cause(leaf)
            )
            if self._is_shown_already(leaf):
                self.shown.left_out += len(runs)
            elif order is not None:
                self.progress(f"realising {number} of {len(ranked)} violating classes")
                share_s = (self.until - time.monotonic()) / (len(ranked) - number + 1)
                said = self._realise(single, leaf, runs, allowed, time.monotonic() + share_s, order, said)
            elif self._is_mapped(runs[0]):
                self.shown.split_only += len(runs)
                said = replace(
                    said, fate="split_only", why=split_in_words(self.space.graph, runs[0], allowed)
                )
            else:
                self.progress(f"realising {number} of {len(ranked)} violating classes")
                share_s = (self.until - time.monotonic()) / (len(ranked) - number + 1)
                said = self._as_explored(runs, time.monotonic() + share_s, said)
            self._say(said)
        self._tell_causes(allowed)
        return self.shown

    def _cause(self, leaf: Node) -> str:
        origin = self.grounds.origins.get(leaf)
        return origin.name if origin is not None else ""

    def _is_shown_already(self, leaf: Node) -> bool:
        """Whether a class that was realised before stands for this one, as far as that was asked for.

        An anomaly that no class has shown yet is always worth a class of its own, whatever its cause.
        """
        if self.one_of_each == "class" or not self.space.bad_leaves[leaf] <= self.shown.realised_names:
            return False
        cause = self._cause(leaf)
        return self.one_of_each == "anomaly" or (cause != "" and cause in self.first)

    def _tell_causes(self, allowed: Follows) -> None:
        causes = told_causes(self.grounds, self.first, self.shown.violations)
        if self.one_of_each != "anomaly":
            causes = with_repairs_tried(self.rig, self.grounds, causes, allowed, self.until)
        self.shown.causes = causes

    def _as_explored(self, runs: list[Execution], until: float, said: Violation) -> Violation:
        """A class that stands in no whole graph: only the schedule that was explored can be followed.

        What one instance keeps together was seen at few release points there, if at any, so nothing is ruled
        out: the tries on the real instance decide.
        """
        names = self.space.judge.names(runs[0])
        graph = graph_of(self.rig, self.space.programs, runs[0].schedule)
        leaf = graph.leaf_of(runs[0].schedule)
        if leaf is None or len(self.rig.planned.operations) != 2:
            self.shown.unrealised += len(runs)
            self.shown.unrealised_names |= names
            return replace(said, fate="unrealised", why="it stands in no whole graph of schedules")
        space = replace(self.space, graph=graph, bad_leaves={leaf: names})
        narrow = replace(self, space=space, draws=Draws())
        single = SharedInstance(self.rig, graph)
        return narrow._realise(single, leaf, runs, always, until, runs[0].schedule, said)

    def at_point(self, single: SharedInstance, point: Scheduler, first: Execution, allowed: Follows) -> None:
        """A release point where one instance did what no explored order did: it itself, and again.

        It is shown where it comes again in half of the repeats at least; less may be a late reply: a doubt.
        """
        wanted = self.space.judge.names(first)
        runs, repeat_tries = [first], []
        for _ in range(REPEATS):
            try:
                runs.append(single.run(point, is_calm=True))
            except ScheduleMissed:
                continue
            repeat_tries.append(1)
        same = [run for run in runs[1:] if self.space.judge.names(run) == wanted]
        words = ", ".join(sorted(wanted))
        if 2 * len(same) < REPEATS:
            again = f"{len(same)} of {REPEATS} times"
            self.shown.doubt = f"{words} at a release point, which came again {again}"
            return
        self.shown.realised += 1
        self.shown.realised_names |= wanted
        self.shown.classes.append(first)
        self.shown.beyond.append(first)
        self.shown.notes.append(f"{words}: at a release point of one instance, and in no explored order")
        self._add(Realised(tuple(runs), 1, tuple(repeat_tries), 0.0), len(same), allowed, instances=1)
        self._say(self._as_it_was(first, allowed, len(same), 1))

    def _say(self, violation: Violation) -> None:
        """What became of a class, kept and written down at once."""
        self.shown.violations.append(violation)
        if self.journal is not None:
            self.journal.realisation(
                Realisation(
                    schedule=violation.schedule,
                    anomalies=violation.anomalies,
                    fate=violation.fate,
                    tries=violation.tries,
                    why=violation.why,
                )
            )

    def _hardness(self, order: tuple[int, ...] | None, allowed: Follows) -> tuple[bool, int, int]:
        """What the classes are ranked by: preemptions first, for each halves the chance of a try."""
        whole = order or ()
        return order is None, preemptions_of(self.space.graph, whole, allowed), len(whole)

    def _is_mapped(self, run: Execution) -> bool:
        """Whether the graph can say that one instance never comes to the run's leaf: only a whole one can."""
        return self.space.graph.is_whole and self.space.graph.leaf_of(run.schedule) is not None

    def on_separate(self, separate: SeparateInstances) -> Realisations:
        """Every violating class on as many instances as it was explored on: the run itself, and again."""
        for run, leaf in self.space.violating:
            wanted = self.space.judge.names(run)
            runs, repeat_tries = [], []
            for _ in range(REPEATS + 1):
                again = follow(separate, run)
                repeat_tries.append(1)
                if again is not None:
                    runs.append(again)
            same = [r for r in runs[1:] if self.space.judge.names(r) == wanted]
            self.shown.realised += 1
            self.shown.classes.append(run)
            done = Realised(tuple(runs or [run]), 1, tuple(repeat_tries[1:]), 0.0)
            instances = len(self.rig.planned.operations)
            cause = self._cause(leaf)
            self._add(done, len(same), always, instances=instances, cause=cause)
            self._say(replace(self._as_it_was(run, always, len(same), instances), cause=cause))
        separate.end()
        self._tell_causes(always)
        return self.shown

    def _as_it_was(self, run: Execution, allowed: Follows, again: int, instances: int) -> Violation:
        """The violation of a run that is itself the first of those that show it."""
        return Violation(
            anomalies=tuple(sorted(self.space.judge.names(run))),
            classes=1,
            fate="realised",
            schedule=text(run.schedule, run.actors, self.space.graph, allowed, instances),
            chance=1.0,
            tries=1,
            again=again,
            repeats=REPEATS,
            again_tries=REPEATS,
        )

    def _realise(
        self,
        single: SharedInstance,
        leaf: Node,
        runs: list[Execution],
        allowed: Follows,
        until: float,
        order: tuple[int, ...],
        said: Violation,
    ) -> Violation:
        wanted, graph, shown = self.space.bad_leaves[leaf], self.space.graph, self.shown
        done = realise(
            single,
            graph,
            leaf,
            allowed,
            is_bad=lambda run: self._is_shown(run, wanted),
            draws=self.draws,
            is_out_of_time=lambda: time.monotonic() > until,
        )
        if done.is_realised and graph.leaf_of(done.runs[0].schedule) is not None:
            order = done.runs[0].schedule
        said = replace(
            said,
            fate="realised" if done.is_realised else "unrealised",
            schedule=text(order, runs[0].actors, graph, allowed, 1),
            deviations=preemptions_of(graph, order, allowed),
            chance=round(done.chance, 5),
            tries=done.tries,
            seconds=round(done.seconds, 3),
        )
        if not done.is_realised:
            shown.unrealised += len(runs)
            shown.unrealised_names |= wanted
            return replace(said, why="its draws of the pool did not come within the tries and the time")
        same = sum(1 for run in done.runs[1:] if self.space.judge.names(run) == wanted)
        if not same and wanted.intersection(ENDS):
            shown.unrealised += len(runs)
            shown.unrealised_names |= wanted
            return replace(
                said, fate="unrealised", why=f"it came once, and not in {len(done.runs) - 1} repeats"
            )
        shown.realised += len(runs)
        shown.realised_names |= wanted
        shown.classes += runs
        self._add(done, same, allowed, instances=1, cause=said.cause)
        return replace(said, again=same, repeats=REPEATS, again_tries=sum(done.repeat_tries))

    def _is_shown(self, run: Execution, wanted: frozenset[AnomalyName]) -> bool:
        """Whether the run came to what its class did, and REST shows the store as it was read."""
        return self.space.judge.names(run) == wanted and self._rest_agrees(run)

    def _rest_agrees(self, run: Execution) -> bool:
        wrong = "" if run.record.hung else rest_differs(self.rig, run.record.stored)
        if wrong:
            self.shown.notes.append(f"after a realised order {wrong}")
        return not wrong

    def _add(self, done: Realised, same: int, allowed: Follows, *, instances: int, cause: str = "") -> None:
        shown, judge = self.shown, self.space.judge
        shown.tries += [done.tries, *done.repeat_tries]
        shown.same += same
        shown.repeats += len(done.runs) - 1
        number = len(shown.witnesses)
        record = replace(done.runs[0].record, index=number)
        run = replace(done.runs[0], record=record)
        schedule: ScheduleWitness = witness_of(
            run,
            self.space.graph,
            self.space.bad_leaves,
            judge,
            allowed,
            realised=same,
            repeats=REPEATS,
            tries=done.tries,
            instances=instances,
        )
        schedule = marked(schedule, self.grounds, run)
        if cause:
            self.first.setdefault(cause, First(run, schedule, number))
        known = {(w.anomaly.name, w.anomaly.message) for w in shown.witnesses}
        for anomaly in judge.races(run):
            if (anomaly.name, anomaly.message) not in known:
                found = Witness(
                    anomaly=anomaly,
                    record=record,
                    replay=f"{self.replay} --round {number}",
                    explained=explain(record),
                    schedule=schedule,
                )
                shown.witnesses.append(found)
                if self.journal is not None:
                    self.journal.witness(found)
