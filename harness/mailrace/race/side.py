"""A plan on a started target: runs, verifies, judges and counts its rounds; one of the two that alternate."""

import time
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace

from mailrace.history import Journal, JudgedRound
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Loss, RoundRecord
from mailrace.model.errors import MachineTrouble, TargetError, TargetGone
from mailrace.model.target import Liveness, Target
from mailrace.race.judge import Judge
from mailrace.race.lane import Lane
from mailrace.race.options import RaceOptions
from mailrace.race.sentinel import EXCUSED, PRUNED, Sentinel, why_pruned
from mailrace.race.settings import Settings, hint, settings_of
from mailrace.race.tally import Judged, Tally
from mailrace.race.tuner import Draw
from mailrace.race.views import is_gone_with_the_next
from mailrace.scenario import Plan, server_options, why_vacuous


class Side:
    """A plan on a started target with its lane, judge and tally; one of the two that alternate."""

    def __init__(self, name: str, plan: Plan, target: Target, journal: Journal, options: RaceOptions) -> None:
        self.target = target
        self.journal = journal
        self.lane = Lane(name, plan, target, journal, profile=options.profile, limits=options.limits)
        self._limits = options.limits
        self.judge = Judge(self.lane, server_options(plan.scenario), journal, pruned_from=options.pruned_from)
        self.tally = Tally(server_options(plan.scenario), options.replay)
        self.seconds = {"race": 0.0, "verify": 0.0, "start": 0.0}
        self._pending: list[RoundRecord] = []
        self._unreadable = 0
        self._restarts = 0
        self._in_vain = 0
        self._seen: set[AnomalyName] = set()
        self.taken_back: dict[int, frozenset[str]] = {}
        """Names that a round was counted with before they showed without any race, by its index."""
        self.sentinel = Sentinel(self.lane)
        self._keeps: str | None = None
        """In a sentence, that the server keeps only so many mails; "" if not; None: not asked yet."""
        self.settings = Settings()
        self.gone = ""
        """Why it cannot go on, found when its rounds were judged; "" while it can."""
        self.is_cold = options.trial == "cold" or plan.scenario.target.fresh
        self.is_gone_with_the_next = is_gone_with_the_next(plan.round(0), plan.round(1), self.tally.options)
        # A tag that is in the store already races with nothing, and only a fresh process has an empty one.
        if not self.is_cold:
            self.judge.vacuous = why_vacuous(plan.scenario, is_ours=target.is_ours)
            self.judge.vacuous_from = 1

    def calibrate(self) -> None:
        """Look at the server's settings, and run the operations one after the other, before any race.

        Raises TargetError where the server does not survive even that.
        """
        started, serial = time.monotonic(), self.judge.serial
        self.settings = settings_of(self.target)
        if self.settings.ignores_duplicates:
            serial.options = self.tally.options = replace(serial.options, ignore_duplicate_ids=True)
        self.sentinel.store()
        serial.calibrate()
        self.lane.patience.serial_s = serial.slowest_s
        if self.judge.vacuous and serial.is_possible:
            # Calibration has left its tags in the store, so it is emptied for the first round.
            if self.target.is_ours:
                self._restart()
            else:
                self.judge.vacuous_from = 0
        self.seconds["start"] += time.monotonic() - started
        if not self.target.is_ours and serial.refused:
            self._await_return()
        fatal = [a for a in serial.breaks.values() if a.name in (AnomalyName.HANG, AnomalyName.CRASH)]
        if fatal:
            raise TargetError(
                f"{self.target.name}: it does not survive the operations one after the other, so they were "
                f"not raced: {fatal[0].proof}"
            )

    def broken_serially(self) -> dict[str, int]:
        """Promises that this server breaks without a race, by name: in how many raced rounds they showed."""
        seen = self.tally.broken_serially
        # An operation that is refused in some serial order breaks nothing by that.
        names = {str(a.name) for a in self.judge.serial.breaks.values()} - {AnomalyName.SPURIOUS_REJECTION}
        return {name: seen[name] for name in sorted({*names, *seen})}

    def said(self) -> tuple[str, ...]:
        """What the server did that no race explains, a sentence each."""
        serial, found = self.judge.serial, dict[str, str]()
        for anomaly in serial.breaks.values():
            if anomaly.name in self.broken_serially():
                asked = hint(anomaly, self.lane.plan.round(anomaly.round))
                found.setdefault(
                    anomaly.name,
                    f"{anomaly.name} shows when the operations run one after the other as well, which is a "
                    f"broken promise, not a race: {anomaly.proof} {asked}".strip(),
                )
        refused = f"running the operations one after the other was refused: {serial.refused}"
        shown = {name: min(times, self.tally.hits) for name, times in self.tally.anomalies.items()}
        rare = serial.not_ruled_out(shown, max(1, self.tally.rounds))
        return (*self.settings.said, *found.values(), *([refused] if serial.refused else []), *rare)

    def run(self, index: int, draw: Draw) -> None:
        """One round; a server that hung or ended is started anew if it is ours."""
        started = time.monotonic()
        if self.is_cold:
            self._restart()
        before = time.monotonic()
        record = self.lane.run(index, draw)
        self._pending.append(record)
        self.seconds["start"] += before - started
        self.seconds["race"] += time.monotonic() - before
        if not self.target.is_ours and record.loss is Loss.REFUSED:
            self._await_return()
        elif (
            self.target.is_ours
            and not self.is_cold
            and (record.hung or record.crashed or self.target.how_it_ended())
        ):
            self.recover()
        # Rounds in which nobody is released only take time. What they mean depends on who caused that.
        in_vain = not record.released_ns or record.loss is Loss.MACHINE
        self._in_vain = self._in_vain + 1 if in_vain else 0
        if self._in_vain >= self._limits.unreleased_rounds:
            kind = MachineTrouble if record.loss in (Loss.MACHINE, Loss.DROPPED) else TargetError
            raise kind(
                f"{self.target.name}: {self._in_vain} rounds in a row could not be exercised, so it was "
                f"given up; the last one: {record.lost or 'nothing was answered'}"
            )

    def judged(self) -> tuple[Judged, ...]:
        """Verify and judge the rounds since the last call, and count them."""
        started = time.monotonic()
        # One more sentinel closes the block, before anything is looked at.
        self.sentinel.store()
        found = self.judge.judge(self._pending, self._unreadable)
        self._pending, self._unreadable = [], 0
        if others := self.sentinel.missing():
            found = tuple(_excused(judged, others, EXCUSED) for judged in found)
        elif pruned := self._why_missing(found):
            found = tuple(_excused(judged, pruned, PRUNED) for judged in found)
        found = tuple(self._seen_twice(judged) for judged in found)
        for judged in found:
            self.tally.add(judged)
            # What the round came to is on disk at once, so that a kill loses no finding.
            came_to = JudgedRound(
                index=judged.record.index, anomalies=judged.anomalies, not_looked=judged.not_looked
            )
            self.journal.judged(self.lane.name, came_to)
        # What was counted may have shown one after the other meanwhile, and what was missing may have come.
        taken = [*self.tally.take_back(self.judge.serial.breaks).items()]
        for index in self.judge.late():
            why = f"round {index} was not verified: an accepted mail was not there, and came later after all"
            taken.append((index, self.tally.take_late(index, why)))
        for index, names in taken:
            self.taken_back[index] = self.taken_back.get(index, frozenset()) | names
            if names and not self.tally.is_hit(index):
                self.journal.judged(self.lane.name, JudgedRound(index=index, anomalies=(), not_looked=""))
        if any(judged.record.hung for judged in found) and self.target.liveness() is Liveness.HUNG:
            try:
                self.recover()
            except TargetError as wrong:  # what was found stands
                self.gone = str(wrong)
        self.seconds["verify"] += time.monotonic() - started
        return found

    def _why_missing(self, found: Sequence[Judged]) -> str:
        """Why mails may be missing on a server of ours without any race; asked when one is missing."""
        is_asked = self._keeps is None and self.target.is_ours and not self.is_cold
        names = {anomaly.name for one in found for anomaly in one.anomalies}
        if is_asked and AnomalyName.ACCEPTED_BUT_MISSING in names:
            with suppress(TargetError):  # the next block's look says what is wrong
                self._keeps = why_pruned(self.lane)
                self.judge.emptied()
        return self._keeps or ""

    def _seen_twice(self, judged: Judged) -> Judged:
        """The round without the first hang or crash of its kind, which the machine may have caused."""
        fatal = {a.name for a in judged.anomalies} & {AnomalyName.HANG, AnomalyName.CRASH}
        new = fatal - self._seen
        self._seen |= fatal
        if AnomalyName.HANG in fatal and not new:
            self.lane.patience.is_proven = True
        if not new:
            return judged
        left = tuple(a for a in judged.anomalies if a.name not in new)
        once = "; ".join(a.proof for a in judged.anomalies if a.name in new)
        why = f"{' and '.join(sorted(new))} was seen once only, which may be the machine's doing: {once}"
        record = replace(judged.record, lost=why, loss=Loss.UNVERIFIED)
        not_looked = f"round {record.index} was not verified: {why}"
        return replace(judged, record=record, anomalies=left, not_looked=not_looked)

    def _await_return(self) -> None:
        """Where a server that is not ours refuses connections: wait a moment; TargetGone if it stays away."""
        if self.target.liveness() is not Liveness.DEAD:
            return
        ends = time.monotonic() + self._limits.return_s
        while time.monotonic() < ends:
            time.sleep(0.2)
            if self.target.liveness() is not Liveness.DEAD:
                self.lane.drop()
                return
        raise TargetGone(
            f"{self.target.name}: it is gone: it refused connections for {self._limits.return_s:g} s. "
            "Whether it crashed or was ended cannot be seen from here; see its log, or race a server that "
            "mailrace starts (mailpit@VERSION)"
        )

    def recover(self) -> None:
        """Start a server of ours again; rounds that were not verified stay so, and are told as such."""
        if not self.target.is_ours:
            raise TargetError(f"{self.target.name}: it hangs or is gone, and is not ours to start again")
        if self._restarts >= self._limits.restarts:
            raise TargetError(f"{self.target.name}: it hung or ended {self._restarts} times; given up")
        self._restarts += 1
        self._unreadable = len(self._pending)
        self._restart()

    def _restart(self) -> None:
        self.lane.drop()
        self.target.stop()
        self.target.start()


def _excused(judged: Judged, others: str, names: Container[AnomalyName]) -> Judged:
    """The round without what a deletion beside the race explains; unverified if nothing else was found."""
    left = tuple(a for a in judged.anomalies if a.name not in names)
    if len(left) == len(judged.anomalies):
        return judged
    record = replace(judged.record, lost=others, loss=Loss.UNVERIFIED)
    not_looked = f"round {record.index} was not verified: {others}"
    return replace(judged, record=record, anomalies=left, not_looked=not_looked)
