"""Executions that show a violating class in, its realisation with its witnesses out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailrace.check import explain
from mailrace.model.anomaly import AnomalyName
from mailrace.model.result import Violation, Witness
from mailrace.steer.causes.grounds import Grounds
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.graph import Follows
from mailrace.steer.explore.observer import Observer
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.one_instance.realisations import Realisation
from mailrace.steer.one_instance.realise import REPEATS, Realised
from mailrace.steer.one_instance.told_causes import First, marked
from mailrace.steer.one_instance.witness import text, witness_of


@dataclass(frozen=True, slots=True)
class Prover:
    """Makes witnesses. `replay`: the command that replays one, but for its round."""

    space: StateSpace
    grounds: Grounds
    replay: str
    observer: Observer

    def same(self, done: Realised, wanted: frozenset[AnomalyName]) -> int:
        """How many repeats came to the anomalies that are wanted."""
        return sum(1 for run in done.runs[1:] if self.space.judge.names(run) == wanted)

    def as_it_was(self, run: Execution, allowed: Follows, again: int, instances: int) -> Violation:
        """The violation of an execution that is itself the first of those that show it."""
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

    def proven(
        self,
        said: Violation,
        classes: tuple[Execution, ...],
        done: Realised,
        allowed: Follows,
        found: Sequence[Realisation],
        *,
        instances: int = 1,
    ) -> Realisation:
        """What was realised, with a witness of each anomaly that none of those `found` before has one of."""
        # A witness is replayed by its number, which is that of the witnesses before it.
        before = [w for one in found for w in one.witnesses]
        known = {(w.anomaly.name, w.anomaly.message) for w in before}
        number = len(before)
        record = replace(done.runs[0].record, index=number)
        run = replace(done.runs[0], record=record)
        schedule = witness_of(
            run,
            self.space,
            allowed,
            realised=said.again,
            repeats=REPEATS,
            tries=done.tries,
            instances=instances,
        )
        schedule = marked(schedule, self.grounds, run)
        # One witness of an anomaly and message is enough: the classes that show it again are only counted.
        witnesses = []
        for anomaly in self.space.judge.races(run):
            if (anomaly.name, anomaly.message) not in known:
                witness = Witness(
                    anomaly=anomaly,
                    record=record,
                    replay=f"{self.replay} --round {number}",
                    explained=explain(record),
                    schedule=schedule,
                )
                witnesses.append(witness)
                self.observer.witnessed(witness)
        return Realisation(
            said=said,
            classes=classes,
            tries=(done.tries, *done.repeat_tries),
            repeats=len(done.runs) - 1,
            same=said.again,
            first=First(run, schedule, number),
            witnesses=tuple(witnesses),
        )
