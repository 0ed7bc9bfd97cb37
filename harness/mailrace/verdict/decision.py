"""One scenario's hits and control to its verdict, the reason and the advice: the rule for PASS."""

from dataclasses import dataclass
from math import ceil

from mailrace.model.result import ControlResult, Verdict
from mailrace.verdict.bound import CONFIDENCE, THETA, pairs_needed, theta_bound
from mailrace.verdict.rates import clopper_pearson

STEER = "`mailrace steer` looks at every order and needs no control (on a server that mailrace starts)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason in a sentence, and for INCONCLUSIVE what would settle it, else ""."""

    verdict: Verdict
    reason: str
    advice: str = ""


def decide(
    *,
    rounds: int,
    hits: int,
    lost: int = 0,
    refused: int = 0,
    control: ControlResult | None = None,
    confidence: float = CONFIDENCE,
    theta: float = THETA,
    one_rate: bool = True,
) -> Decision:
    """The verdict of one natively raced scenario (DESIGN.md, "Controls", "The rule").

    rounds          rounds of the target that were looked at; `lost` could not be
    refused         those of the lost ones that were the server's doing: a race can hide its own round so
    hits            rounds among them with an anomaly of weight RACE: one is proof
    control         the rarest of the controls that fired, its `pairs_fired` without the pairs of lost rounds
    one_rate        whether one rate can stand for all rounds (`not is_overdispersed`); words only

    PASS needs a control of kind 1 or 2 that fired in `pairs_needed(theta, confidence)` pairs.
    """
    if hits:
        return Decision(verdict=Verdict.RACE, reason=_race(rounds, hits, one_rate) + _lost(lost) + ".")
    clean = f"no hit in {rounds} rounds{_lost(lost)}"
    needed = pairs_needed(theta, confidence)
    if not rounds or lost > rounds:
        return _inconclusive(
            f"only {rounds} of {rounds + lost} rounds could be exercised"
            if rounds
            else f"nothing could be exercised{_lost(lost)}",
            "see why the rounds were lost, in the report and in the server's log, and run again",
        )
    if refused:
        return _inconclusive(
            f"{clean}, but the server refused {refused} more, or would not show what it stored: a race may "
            "have made its own round disappear",
            "see the replies and the server's log for why, mend that, and run again",
        )
    if control is None:
        return _inconclusive(
            f"{clean}, and no control ran that would show that a race can be seen here",
            f"name a control that can be had here (`controls:` in the scenario), or steer: {STEER}",
        )
    name = f"the control {control.target} ({control.scenario})"
    fired = f"{name} fired in {control.pairs_fired} of {control.pairs} pairs"
    if control.kind not in (1, 2):
        return _inconclusive(
            f"{clean}; {fired}, but it is of kind 3: it shows that mailrace releases well, "
            "and nothing of this server's own scheduling",
            f"steer: {STEER}; or give a known-bad version of the same server or an open race of this one",
        )
    if control.pairs_fired < needed:
        return _inconclusive(
            f"{clean}; {fired}, fewer than the {needed} that {_percent(confidence)} confidence needs",
            _more(control, needed),
        )
    bound = theta_bound(control.pairs_fired, confidence)
    return Decision(
        verdict=Verdict.PASS,
        reason=f"{clean}; {fired}: a race at least {bound:.2f} times as frequent as {control.target} "
        f"({control.scenario}) would have been seen with {_percent(confidence)} confidence.",
    )


def _race(rounds: int, hits: int, one_rate: bool) -> str:
    share = f"{hits} of {rounds} rounds hit"
    if not one_rate:
        return f"{share}; the rate drifted from block to block, so no single rate describes the server"
    interval = clopper_pearson(hits, rounds)
    return (
        f"{share}: {100 * hits / rounds:.1f} % "
        f"({100 * interval.low:.1f} to {100 * interval.high:.1f} % "
        f"with {_percent(interval.confidence)} confidence)"
    )


def _more(control: ControlResult, needed: int) -> str:
    if not control.pairs_fired:
        return (
            "a control that never fires says that a race might not show here: look at GOMAXPROCS and the "
            f"number of CPUs, choose another control, or steer: {STEER}"
        )
    more = ceil((needed - control.pairs_fired) * control.pairs / control.pairs_fired)
    often = "a control that fires more often"
    return f"about {more} more rounds if the control goes on as it did; or {often}; or steer: {STEER}"


def _inconclusive(reason: str, advice: str) -> Decision:
    return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason + ".", advice=advice + ".")


def _lost(lost: int) -> str:
    return f" ({lost} more could not be looked at)" if lost else ""


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.10g} %"
