"""What a walk came to in, its `ScenarioResult` out: counts, verdict, reason, and the bound in words."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailrace.model.anomaly import Weight
from mailrace.model.result import ScenarioResult, Schedules, Verdict
from mailrace.scenario import Scenario, not_exercised
from mailrace.steer.graph import Follows
from mailrace.steer.landscape import Landscape, why_not_put_to_the_test
from mailrace.steer.quiet import how_known
from mailrace.steer.witnessing import Shown
from mailrace.steer.words import counted, violations_in_words

_WITHOUT_SERIAL = {
    False: "the serial orders are too many: the promises stand alone",
    True: "every serial order hangs the server by itself: the promises stand alone",
}


@dataclass(slots=True)
class Account:
    """The numbers of one walk.

    instances    asked for by the scenario; actors in the round
    orders       (all, bad) of those that keep together what one instance keeps together
    all_orders   (all, bad) of those on one instance an actor
    points       release points run ("0 deviations"), how many were bad, and how many missed
    """

    land: Landscape
    shown: Shown
    instances: int
    actors: int
    seconds: dict[str, float]
    orders: tuple[int, int] = (0, 0)
    all_orders: tuple[int, int] = (0, 0)
    orders_by_name: dict[str, int] = field(default_factory=dict)
    points: int = 0
    points_bad: int = 0
    points_missed: int = 0
    locks: int = 0
    runs_single: int = 0
    unattributed: int = 0

    def count(self, allowed: Follows) -> None:
        """Count the orders that are `allowed`, and all of them."""
        total, bad, self.orders_by_name = self.land.orders(allowed)
        self.orders = (total, bad)
        self.all_orders = self.land.orders(lambda *_: True)[:2]

    @property
    def is_exhaustive(self) -> bool:
        """All classes explored, none missed, no budget hit: computed, never asserted."""
        found = self.land.exploration
        return found.is_complete and found.missed == 0 and found.explored > 0 and not self.land.doubt

    @property
    def doubt(self) -> str:
        """Why what was looked at may not be all of it, though nothing ran out; "" if nothing says so."""
        if self.land.doubt:
            return self.land.doubt
        if self.points_missed and self.land.graph.is_whole:
            return f"{counted(self.points_missed, 'release point')} missed"
        return why_not_put_to_the_test(self.land)

    @property
    def bound(self) -> str:
        """What was covered, in words, as printed with each verdict."""
        kept = ""
        if self.instances < self.actors and (self.actors == 2 or self.orders != self.all_orders):
            kept = " that keeps together what one instance was seen to keep together"
        servers = f" on {self.instances} instances" if self.instances > 1 else ""
        return (
            f"{self._which} of the SQL statements of these operations{kept}, each operation once, "
            f"from this store{servers}, all of them begun before the first; not covered: in-process state, "
            "background writes (cron, --max), row order of tables without a key, driver differences"
        )

    @property
    def orders_run(self) -> int:
        """Orders that were run on twins, those of which an end was enough among them."""
        found = self.land.exploration
        return found.explored + found.cut + found.missed

    @property
    def ms_per_order(self) -> float:
        """Of wall time, the start of the servers included once."""
        spent_s = self.seconds.get("start", 0.0) + self.seconds.get("explore", 0.0)
        return 1e3 * spent_s / self.orders_run if self.orders_run else 0.0

    @property
    def _which(self) -> str:
        """Which orders were run, in words."""
        found = self.land.exploration
        if self.is_exhaustive:
            return "every order"
        part = f"only part of it, for {found.why_not}: every order"
        if found.within < 0:
            return part
        within = (
            f"every order with at most {counted(found.within, 'context switch')} beyond the necessary ones"
        )
        if found.within == found.bound:
            return within
        return f"{within}, and part of those with more, for {found.why_not},"

    def schedules(self) -> Schedules:
        """The counts as run.json has them."""
        found = self.land.exploration
        return Schedules(
            explored=found.explored,
            classes=self.land.classes,
            violating=self.shown.realised,
            split_only=self.shown.split_only,
            missed=found.missed,
            exhaustive=self.is_exhaustive,
            bound=self.bound,
            violating_orders=self.orders[1],
            unrealised=self.shown.unrealised,
            unrealised_anomalies=tuple(sorted(self.shown.unrealised_names)),
            violations=tuple(self.shown.violations),
            orders_run=self.orders_run,
            ms_per_order=round(self.ms_per_order, 2),
            seconds={name: round(s, 3) for name, s in self.seconds.items()},
            notes=tuple(self.notes()),
        )

    def notes(self) -> list[str]:
        """What the counts alone do not say."""
        total, bad = self.orders
        notes = []
        if self.land.graph.is_whole:
            each = "; ".join(f"{name} in {count:,}" for name, count in self.orders_by_name.items())
            notes.append(f"{bad:,} of {total:,} orders are bad" + (f": {each}" if each else ""))
        if self.land.graph.is_whole and self.all_orders != self.orders:
            notes.append(f"with one instance an actor: {self.all_orders[1]:,} of {self.all_orders[0]:,}")
        notes.append(
            f"{counted(self.orders_run, 'order')} run in {self.seconds.get('explore', 0.0):.2f} s; "
            f"{self.ms_per_order:.1f} ms an order, {self.seconds.get('start', 0.0):.2f} s of start included"
        )
        if self.points:
            missed = f", {self.points_missed} missed" if self.points_missed else ""
            notes.append(f"0 deviations (release points): {self.points_bad} of {self.points} are bad{missed}")
        if self.land.exploration.cut:
            notes.append(f"{self.land.exploration.cut} runs were cut: only exchanged orders were left there")
        if self.shown.tries:
            median, worst = statistics.median(self.shown.tries), max(self.shown.tries)
            notes.append(
                f"tries a realisation: median {median:g}, worst {worst}; "
                f"{self.shown.same} of {self.shown.repeats} repeats came to the same"
            )
        if self.shown.left_out:
            more = counted(self.shown.left_out, "more class")
            notes.append(f"{more} of the same anomalies left out: one of each was asked for")
        notes += violations_in_words(self.shown.violations)
        if self.unattributed:
            notes.append(f"{self.unattributed} statements could not be attributed; their runs were dropped")
        return [*notes, *self.shown.notes, how_known()]


def scenario_result(scenario: Scenario, account: Account) -> ScenarioResult:
    """The verdict and everything that the report shows."""
    verdict, reason, advice = judged(account)
    shown, judge = account.shown, account.land.judge
    anomalies: dict[str, int] = {}
    for run in account.land.runs:
        is_race = run in shown.classes
        names = {a.name.value for a in judge.findings(run) if is_race or a.name.weight is not Weight.RACE}
        for name in sorted(names):
            anomalies[name] = anomalies.get(name, 0) + 1
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        file=str(scenario.file or ""),
        mode="steer",
        verdict=verdict,
        reason=reason,
        advice=advice,
        rounds=account.land.exploration.explored,
        rounds_lost=account.land.exploration.missed,
        hits=shown.realised,
        broken_serially=judge.broken_serially,
        anomalies=anomalies,
        witnesses=tuple(shown.witnesses),
        sample=tuple(run.record for run in account.land.runs if not judge.races(run))[:2],
        not_looked=() if judge.serial else (_WITHOUT_SERIAL[bool(judge.told)],),
        seconds=account.seconds,
        replies=_replies(account),
        schedules=account.schedules(),
    )


def judged(account: Account) -> tuple[Verdict, str, str]:
    """The verdict, its reason, and what would settle it."""
    shown, found = account.shown, account.land.exploration
    looked = f"{counted(found.explored, 'class')} explored"
    if not found.is_complete:
        looked = f"{counted(found.explored, 'order')} of {counted(account.land.classes, 'class')} explored"
    orders = (
        f", {account.orders[1]:,} of {account.orders[0]:,} orders bad" if account.land.graph.is_whole else ""
    )
    if shown.realised:
        again = f"{shown.same} of {shown.repeats} repeats came to the same"
        where = "one instance" if account.instances == 1 else f"{account.instances} instances"
        return (
            Verdict.RACE,
            f"{counted(shown.realised, 'violating class')} realised on {where} ({again}); {looked}{orders}",
            "",
        )
    if shown.unrealised:
        return (
            Verdict.INCONCLUSIVE,
            f"{counted(shown.unrealised, 'violating class')} neither realised on one instance nor seen to be "
            f"kept apart there; {looked}{orders}",
            "steer again with more time, or race it natively with decoys",
        )
    if found.missed:
        return (
            Verdict.INCONCLUSIVE,
            f"{counted(found.missed, 'order')} missed ({found.why_not}); {looked}",
            "steer again on a quieter machine",
        )
    if account.doubt:
        return (
            Verdict.INCONCLUSIVE,
            f"{account.doubt}; {looked}{orders}",
            "see the replies and notes in the report, and race it natively",
        )
    split = f"; two instances would show {counted(shown.split_only, 'bad class')}" if shown.split_only else ""
    if not account.is_exhaustive:
        within = (
            f", and every one with up to {counted(found.within, 'switch')} was run"
            if found.within >= 0
            else ""
        )
        return (
            Verdict.INCONCLUSIVE,
            f"not finished, for {found.why_not}{within}; {looked}, none bad on one server{split}{orders}",
            _more(found.bound is not None),
        )
    return Verdict.PASS, f"{looked}, none bad on one server{split}; exhaustive{orders}", ""


def _more(is_bounded: bool) -> str:
    native = "or race it natively beside a control with --confirm, which can carry a PASS"
    if is_bounded:
        return f"leave --bound out: what lies beyond it was not looked at; {native}"
    return f"give a larger --budget, or fewer actors; {native}"


def not_steerable(scenario: Scenario, reason: str) -> ScenarioResult:
    """A scenario that steer cannot look at: nothing is known of it, so it is no PASS."""
    why = f"steer cannot look at it: {reason}"
    return not_exercised(scenario, Verdict.INCONCLUSIVE, why, "steer", "race it: `mailrace run`.")


def _replies(account: Account) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for run in account.land.runs:
        for attempt in run.record.attempts:
            line = f"{attempt.code or attempt.word.value}"
            counts[line] = counts.get(line, 0) + 1
    return counts
