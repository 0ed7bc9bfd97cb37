"""Runs a lane's operations one after the other, for real; gives outcomes, and what breaks without a race."""

import time
from collections.abc import Mapping

from mailrace.check import (
    Break,
    SerialOutcome,
    order_in_words,
    orders,
    outcome_of,
    serial_breaks,
)
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.attempt import Loss, RoundRecord, Word
from mailrace.model.errors import TargetError
from mailrace.model.operation import ServerOptions
from mailrace.race.lane import Lane
from mailrace.race.verify import SERIAL, Verifier

FIRST_INDEX = 90_000
"""Serial rounds have indices of their own, above every raced one."""
_RACES = frozenset(name.value for name in AnomalyName if name.weight is Weight.RACE)
_SURE = 0.95
"""How surely serial rounds have to show a fault that needs no race; if less surely, a sentence says so."""
REPEATS = 2
"""How often each order runs; all outcomes count, since a server need not do the same every time."""


class SerialRounds:
    """Runs rounds of a lane serially and remembers their outcomes, which hold for all its rounds.

    options   what the server was started with; `breaks`: what it broke, each kind with its first anomaly
    refused   why a serial round could not be run or read, where the server did not let it; "" if it did
    is_possible   whether there are serial rounds at all
    slowest_s   the time of the slowest serial round: what is slow by itself is not slow because of a race
    """

    def __init__(self, lane: Lane, options: ServerOptions, verifier: Verifier) -> None:
        self.options = options
        self.breaks: dict[Break, Anomaly] = {}
        self.refused = ""
        self.slowest_s = 0.0
        self._lane = lane
        self._verifier = verifier
        self._made = 0
        self._tried: set[Break] = set()
        self._outcomes: dict[tuple[int, ...], list[SerialOutcome]] = {}
        everyone = tuple(range(len(lane.plan.round(0).operations)))
        self._two_orders = (everyone, everyone[::-1])
        # A scenario that needs a fresh server for each round may hang it in any order: no serial rounds.
        self.is_possible = not lane.plan.scenario.target.fresh
        self.is_compared = self.is_possible and bool(orders(lane.plan.round(0)))
        """Whether outcomes are compared with those of the serial orders, which must not be too many."""

    def calibrate(self) -> None:
        """Run the operations in two orders before anything is raced."""
        for order in self._two_orders if self.is_possible else ():
            if not self.one(order):
                break

    def try_again(self, kind: Break, record: RoundRecord) -> bool:
        """Look whether an anomaly that a raced round showed shows serially too, once for each kind.

        True: serial rounds were run for it, so more is known now. A fault that also comes by itself, but only
        now and then, needs more than one serial round to be seen.
        """
        limits = self._lane.limits
        if kind in self._tried or kind in self.breaks or not self.is_possible:
            return False
        self._tried.add(kind)
        ends = time.monotonic() + limits.serial_s
        allowed = (orders(record) if self.is_compared else ()) or self._two_orders
        for number in range(limits.serial_rounds):
            is_enough = number >= limits.serial_rounds_least and time.monotonic() > ends
            if kind in self.breaks or is_enough or not self.one(allowed[number % len(allowed)]):
                break
        return True

    def outcomes(self, record: RoundRecord) -> tuple[SerialOutcome, ...] | None:
        """The outcomes of all orders that the raced round allows; None where the server did not give them."""
        if not self.is_compared:
            return None
        found: list[SerialOutcome] = []
        for order in orders(record):
            known = self._outcomes.setdefault(order, [])
            while len(known) < REPEATS:
                if not self.one(order):
                    return None
            found += known
        return tuple(found) or None

    def not_ruled_out(self, shown: Mapping[str, int], rounds: int) -> tuple[str, ...]:
        """What the server may show as often without any race, a sentence each: its serial rounds are too few.

        shown   in how many of the raced rounds each anomaly showed, at most
        """
        alone = sum(map(len, self._outcomes.values()))
        found = []
        for name, times in shown.items() if self.is_possible else ():
            chance = 1.0 - (1.0 - times / rounds) ** alone
            if name in _RACES and chance < _SURE:
                found.append(
                    f"{name} was not seen in {alone} rounds that ran one after the other; on a server that "
                    f"shows it as often without any race ({100 * times / rounds:.2g} % of the rounds) it "
                    f"would have been seen there with a chance of only {100 * chance:.0f} %"
                )
        return tuple(found)

    def one(self, order: tuple[int, ...]) -> bool:
        """Run one serial round in that order and remember it; false where it could not be run or read."""
        lane = self._lane
        planned = lane.plan.round(FIRST_INDEX + self._made)
        self._made += 1
        started = time.monotonic()
        try:
            record = lane.serially(planned, order)
        except TargetError as wrong:
            self.refused = self.refused or str(wrong)
            return False
        took_s = time.monotonic() - started
        (seen,) = self._verifier.look([record], SERIAL)
        for kind, anomaly in serial_breaks([seen], self.options):
            self.breaks.setdefault(kind, anomaly)
        if seen.stored is None or seen.lost:
            if seen.loss not in (Loss.DROPPED, Loss.MACHINE):
                self.refused = self.refused or seen.lost or "what it stored could not be read"
            return False
        # Only a round that was answered tells how long answers take: one that hung was cut off by a limit.
        if not any(attempt.word is Word.TIMED_OUT for attempt in record.attempts):
            self.slowest_s = max(self.slowest_s, took_s)
        self._outcomes.setdefault(order, []).append(outcome_of(seen, order_in_words(planned, order)))
        return True
