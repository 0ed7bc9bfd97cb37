"""Takes a version; decides each pair of its operations, and shows one class of each cause on a real server.

First each pair is explored, and a cause that needs no preemption is shown at once. Then each other cause is
shown by the pair that needs the fewest. What was found is on disk at once, so that a survey can go on after a
kill.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from mailrace.model.cause import Cause
from mailrace.model.consequences import HARMS
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.operation import PlannedRound
from mailrace.model.survey import ConflictCoverage, PairVerdict, SurveyedPair, Unreachable
from mailrace.scenario import Plan, Scenario, new_run, server_options, why_not_applicable
from mailrace.scenario.load import scenario_from
from mailrace.steer.surveying import Looked, Surveying, Traces
from mailrace.studies.survey.relations import Pair
from mailrace.studies.survey.state import Found, Shown, State
from mailrace.targets import TargetName
from mailrace.verdict import promised_nothing

REALISE_S_MAX = 30.0
"""So long it is tried to show one cause on one server by one pair."""
TRIED_MAX = 3
"""So many pairs are tried to show a cause, the easiest first."""
ERRORS_MAX = 5
"""The survey ends once a server has failed for so many pairs in a row: it cannot be looked at."""
_RUN = new_run(b"survey")


@dataclass(slots=True)
class Surveyor:
    """Decides pairs on the servers of one version.

    deadline      monotonic seconds after which nothing new begins
    offered       what the server itself lists as its operations; empty: it has no such list, or was not asked
    environment   what a reader has to know of who looked, besides this machine
    known         causes that are shown elsewhere, and need not be shown here at once
    """

    target: TargetName
    state: State
    folder: Path
    deadline: float = inf
    progress: Callable[[str], None] = lambda _: None
    seconds: dict[str, float] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    _servers: dict[str, Surveying] = field(default_factory=dict)

    def survey(self, pairs: Sequence[Pair]) -> bool:
        """Decide every pair, then show every cause; whether all was looked at. Raises TargetError."""
        try:
            self.ask(pairs[0])
            return self.decide(pairs) and self.show_each(pairs)
        finally:
            self.stop()

    def ask(self, pair: Pair) -> None:
        """Ask the server which operations it offers."""
        with suppress(TargetError, ScheduleMissed):
            _, planned, servers = self._of(pair)
            self.offered = servers.offered(planned)

    def decide(self, pairs: Sequence[Pair]) -> bool:
        """Decide every pair; whether there was time for all. Raises TargetError where the server fails."""
        failed = 0
        for number, pair in enumerate(pairs, start=1):
            if pair.name in self.state.found:
                continue
            if time.monotonic() > self.deadline:
                return False
            self.progress(f"{number} of {len(pairs)} pairs: {pair.name}")
            found = self._decided(pair)
            failed = failed + 1 if found.pair.why.startswith(_FAILED) else 0
            if failed == ERRORS_MAX:
                raise TargetError(f"{found.pair.why}; {ERRORS_MAX} pairs in a row could not be looked at")
            self.state.add(found)
        return True

    def stop(self) -> None:
        """End the servers; may be called twice."""
        for servers in self._servers.values():
            servers.stop()

    def _decided(self, pair: Pair) -> Found:
        """One pair, decided by its trace or by all its schedules.

        Where the server fails it is INCONCLUSIVE.
        """
        began = time.monotonic()
        scenario, planned, servers = self._of(pair)
        said = pair.undecided("")
        try:
            if why := why_not_applicable(scenario, servers.version(planned)):
                return Found(pair=replace(said, verdict=PairVerdict.NOT_APPLICABLE, why=f"{why}."))
            traces = servers.trace(planned, pair.refused_by_right)
            self._spent("traces", began)
            explored = time.monotonic()
            looked = servers.look(planned)
            if looked.doubt and not looked.causes:
                # Perhaps a broadcast of the server came between, so it is looked at a second time, and only
                # once.
                looked = servers.look(planned)
            alone, in_turn = servers.at_points(planned, looked)
            looked = replace(looked, doubt=looked.doubt or in_turn)
            self._spent("explore", explored)
            self._show_at_once(said.name, planned, servers, looked)
        except (TargetError, ScheduleMissed) as wrong:
            # The servers may be in any state now, so the next pair gets new ones.
            servers.stop()
            return Found(pair=replace(said, why=f"{_FAILED} ({wrong})."))
        return _found(pair, said, looked, alone, traces, servers, time.monotonic() - began)

    def _show_at_once(self, pair: str, planned: PlannedRound, servers: Surveying, looked: Looked) -> None:
        """While the pair is set up, show the causes that need no preemption; no other shows them better."""
        began = time.monotonic()
        for name, (_, _, preemptions) in looked.causes.items():
            is_shown = name in self.state.shown or name in self.known
            if preemptions == 0 and not is_shown and time.monotonic() < self.deadline:
                left_s = max(1.0, min(REALISE_S_MAX, self.deadline - time.monotonic()))
                cause = servers.realise(planned, looked, name, left_s)
                if cause.fate == "realised":
                    self.state.show(Shown(cause=cause, pair=pair))
        self._spent("realise", began)

    def show_each(self, pairs: Sequence[Pair]) -> bool:
        """Show each cause by the pair that needs the fewest preemptions; whether there was time for all."""
        by_name = {pair.name: pair for pair in pairs}
        left = ways(self.state)
        for number, (name, its) in enumerate(sorted(left.items()), start=1):
            if name not in self.state.shown:
                self.progress(f"{number} of {len(left)} causes: {name}")
                if not self.show(name, [by_name[one] for one in its]):
                    return False
        return True

    def show(self, name: str, pairs: Sequence[Pair]) -> bool:
        """Show a cause by one of the pairs, the easiest first; whether there was time to try."""
        began = time.monotonic()
        tried: Cause | None = None
        shown_by = ""
        try:
            for pair in pairs:
                if time.monotonic() > self.deadline:
                    return False
                self.progress(f"{name} by {pair.name}")
                if (cause := self._realised(pair, name)) is not None:
                    tried, shown_by = cause, pair.name
                if tried is not None and tried.fate == "realised":
                    break
            if tried is not None:
                self.state.show(Shown(cause=tried, pair=shown_by))
            return True
        finally:
            self._spent("realise", began)

    def _realised(self, pair: Pair, name: str) -> Cause | None:
        """The cause with what became of it; None: the pair did not have it this time."""
        _, planned, servers = self._of(pair)
        with suppress(TargetError, ScheduleMissed):
            looked = servers.look(planned)
            if name in looked.causes:
                left_s = max(1.0, min(REALISE_S_MAX, self.deadline - time.monotonic()))
                return servers.realise(planned, looked, name, left_s)
            return None
        servers.stop()
        return None

    def _of(self, pair: Pair) -> tuple[Scenario, PlannedRound, Surveying]:
        scenario = scenario_from(pair.scenario, self.folder)
        plan = Plan(scenario, 0, _RUN)
        options = server_options(scenario)
        fresh = scenario.target.fresh
        key = f"{options} {fresh}"
        if key not in self._servers:
            self._servers[key] = Surveying(
                self.target, options, self.folder, is_fresh=fresh, progress=self.progress
            )
        return scenario, plan.round(0), self._servers[key]

    def _spent(self, what: str, began: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + time.monotonic() - began


def ways(state: State) -> dict[str, list[str]]:
    """For each cause that no pair has shown yet, the pairs that may show it, the easiest first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name, one in state.found.items():
        for cause, preemptions in zip(one.causes, one.preemptions, strict=True):
            if cause.fate == "unrealised" and cause.name not in state.shown:
                found.setdefault(cause.name, []).append((preemptions, name))
    return {name: [pair for _, pair in sorted(its)[:TRIED_MAX]] for name, its in sorted(found.items())}


_INDEPENDENT = (
    "Each was run alone: no statement of one writes a table that the other's read or write. Run together on "
    "one server, the last byte of either at each statement of the other, they came to the same."
)
_FAILED = "The server could not be looked at"


def _found(
    pair: Pair,
    said: SurveyedPair,
    looked: Looked,
    alone: list[Cause],
    traces: Traces,
    servers: Surveying,
    seconds: float,
) -> Found:
    """What was found of a pair, with its line in the survey.

    What becomes of its causes is known only later.
    """
    schedules, bad = looked.schedules
    causes = [*alone, *(cause for cause, _, _ in looked.causes.values())]
    preemptions = [*(0 for _ in alone), *(n for _, _, n in looked.causes.values())]
    apart = [replace(one, fate="two servers") for one in looked.apart]
    # An operation that is rightly refused has no promise that could be tested; its replies are compared.
    doubt = looked.doubt or promised_nothing([k for k in looked.refused if k not in pair.refused_by_right])
    verdict, why = PairVerdict.PASS, f"{looked.space.classes} classes of its schedules explored, none bad."
    if causes:
        verdict, why = PairVerdict.SAME_CAUSE, f"{bad:,} of {schedules:,} schedules are bad."
        if not bad:
            why = f"None of {schedules:,} schedules is bad by its statements; one server for both did it."
    elif doubt:
        verdict, why = PairVerdict.INCONCLUSIVE, f"{doubt[:1].upper()}{doubt[1:]}."
    elif apart:
        why = f"{why.removesuffix('.')} on one server; two on one store show {apart[0].name}."
    elif traces.is_apart:
        verdict, why = PairVerdict.INDEPENDENT, _INDEPENDENT
    return Found(
        pair=replace(
            said,
            verdict=verdict,
            why=why,
            causes=tuple(one.name for one in (*causes, *apart)),
            harm=min((c.harm for c in causes), key=HARMS.index).value if causes else "",
            schedules=schedules,
            bad=bad,
            classes=looked.space.classes,
            seconds=round(seconds, 3),
        ),
        causes=(*causes, *apart),
        preemptions=(*preemptions, *(0 for _ in apart)),
        coverage=_coverage(said.name, said.kinds, looked, traces, servers),
    )


def _coverage(
    name: str, kinds: tuple[str, str], looked: Looked, traces: Traces, servers: Surveying
) -> ConflictCoverage:
    """Which conflicts of the pair came in both orders, by the graph of all its schedules."""
    one, two = servers.orders(looked)
    exercised, unreachable = 0, []
    for mine, its in traces.conflicts:
        both = [(0, mine, its), (1, its, mine)]
        if all(order in one for order in both):
            exercised += 1
        elif looked.grounds.view is not None and looked.space.is_exhaustive:
            # Every schedule was walked, so an order that no schedule has cannot come about.
            is_kept = all(order in two for order in both)
            why = "one server keeps them apart" if is_kept else "after one of them the other is not sent"
            pair = (f"{kinds[0]}: {mine.template}", f"{kinds[1]}: {its.template}")
            unreachable.append(Unreachable(pair=name, statements=pair, why=why))
    return ConflictCoverage(
        predicted=len(traces.conflicts), exercised=exercised, unreachable=tuple(unreachable)
    )
