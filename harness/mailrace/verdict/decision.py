"""Takes what one raced scenario came to; gives its verdict, the reason and the advice: the rule for PASS."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from mailrace.model.result import ControlResult, Rule, ScenarioResult, Verdict
from mailrace.verdict.bound import rule_pairs, theta_bound
from mailrace.verdict.drift import is_overdispersed
from mailrace.verdict.rates import clopper_pearson

STEER = "`mailrace steer` looks at every schedule and needs no control (on a server that mailrace starts)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the verdict on one natively raced scenario depends on; run.json holds it field by field.

    rounds           the target's rounds that were looked at; `hits` of them show an anomaly of weight RACE
    lost             further rounds, which could not be looked at
    refused          those of the lost ones that the server refused before the release, or would not show;
                     the others were lost by our own doing, and count for nothing
    never_accepted   operations that the target never accepted; None: it is not known what it accepted
    broken_serially  promises that are also broken when the operations run one after the other: that is no
                     race, and no clean result
    promised, found  stored copies: how many the target's promises ask for, and how many were found
    control          its `pairs_fired` without the pairs of rounds that were lost or refused
    found_by_steer   anomalies that steer has found in this scenario on this very version
    is_cut_off       the run was ended from outside: what it saw last may not be in its journal
    one_rate         whether one rate can stand for all rounds; is_sampled: of the mails' contents, and of the
                     other views of them, a sample was looked at (profile throughput): for the words only
    """

    rounds: int
    hits: int
    lost: int = 0
    refused: int = 0
    never_accepted: tuple[str, ...] | None = ()
    broken_serially: tuple[str, ...] = ()
    promised: int = 0
    found: int = 0
    control: ControlResult | None = None
    found_by_steer: tuple[str, ...] = ()
    is_cut_off: bool = False
    one_rate: bool = True
    is_sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with its reason in a sentence, and for INCONCLUSIVE what would settle it, else ""."""

    verdict: Verdict
    reason: str
    advice: str = ""


def promised_nothing(kinds: Sequence[str]) -> str:
    """That such operations were never accepted, in a sentence; "" where there are none."""
    return f"no {', '.join(kinds)} was ever accepted, so no promise was put to the test" if kinds else ""


def evidence_of(
    result: ScenarioResult, *, found_by_steer: tuple[str, ...] = (), is_cut_off: bool = False
) -> Evidence:
    """The evidence in a raced scenario's document; runs and merges of runs are judged alike."""
    never = tuple(name for name, times in result.accepted.items() if not times)
    return Evidence(
        rounds=result.rounds,
        hits=result.hits,
        lost=result.rounds_lost,
        refused=result.rounds_refused,
        never_accepted=never if result.accepted else None,
        broken_serially=tuple(result.broken_serially),
        promised=result.expected[0],
        found=result.found,
        control=result.control,
        found_by_steer=found_by_steer,
        is_cut_off=is_cut_off,
        one_rate=not is_overdispersed(result.blocks),
        is_sampled=result.profile == "throughput",
    )


def decide(seen: Evidence, rule: Rule) -> Decision:
    """The verdict of one natively raced scenario (docs/verdicts.md).

    One hit is proof. PASS needs a control of kind 1 or 2 that fired in `rule_pairs(rule)` pairs, and nothing
    in the evidence that a race could hide behind; whatever is in doubt is INCONCLUSIVE.
    """
    if seen.hits:
        return Decision(verdict=Verdict.RACE, reason=f"{_race(seen)}{_lost(seen.lost)}.")
    # Nothing was hit. First whatever makes the clean rounds themselves doubtful: no control mends that.
    # What breaks without any race comes first, since it is often why nothing could be raced.
    too_few = None if seen.broken_serially else _not_exercised(seen)
    if too_few is not None:
        return too_few
    clean, control = _clean(seen), seen.control
    doubt = doubt_of(seen)
    if doubt is not None:
        return _inconclusive(f"{clean}, but {doubt[0]}", doubt[1])
    # The rounds are clean and were really run. Now whether a race would have been seen in them.
    if control is None:
        return _inconclusive(
            f"{clean}, and no control ran that would show that a race can be seen here",
            f"name a control that is available here (`controls:` in the scenario), or steer: {STEER}",
        )
    fired = (
        f"the control {control.target} ({control.scenario}) fired in {control.pairs_fired} of "
        f"{control.pairs} pairs"
    )
    if control.kind not in (1, 2):
        return _inconclusive(
            f"{clean}; {fired}, but it is of kind 3: it shows that mailrace releases well, "
            "and nothing of this server's own scheduling",
            f"steer: {STEER}; or give a known-bad version of the same server or an open race of this one",
        )
    needed = rule_pairs(rule)
    if control.pairs_fired < needed:
        return _inconclusive(
            f"{clean}; {fired}, fewer than the {needed} that {_confidence(rule)} needs",
            _more(control, needed),
        )
    bound = theta_bound(control.pairs_fired, rule.confidence_each)
    where = ", in the list or in the sample of mails that were looked at closely," if seen.is_sampled else ""
    return Decision(
        verdict=Verdict.PASS,
        reason=f"{clean}; {fired}: a race at least {bound:.2f} times as frequent as {control.target} "
        f"({control.scenario}) would have been seen{where} with {_confidence(rule)}.",
    )


def _not_exercised(seen: Evidence) -> Decision | None:
    """The answer where too little was run to speak of, else None."""
    if not seen.rounds:
        reason = f"nothing could be exercised{_lost(seen.lost)}"
    elif seen.lost > seen.rounds:
        reason = f"only {seen.rounds} of {seen.rounds + seen.lost} rounds could be exercised"
    else:
        return None
    return _inconclusive(
        reason, "see why the rounds were lost, in the report and in the server's log, and run again"
    )


def whole_of(results: Sequence[ScenarioResult], rule: Rule) -> str:
    """What holds for all verdicts PASS together, in a sentence; "" where there is none."""
    passed = [one for one in results if one.verdict is Verdict.PASS]
    raced = sum(one.mode == "race" for one in passed)
    said = []
    if raced:
        error = f"{100 * (1 - rule.confidence):.4g} %"
        of = f", for all {rule.verdicts} verdicts together" if rule.verdicts > 1 else ""
        said.append(
            f"{raced} PASS by racing: the chance that any of them is wrong, about races as frequent as it "
            f"says, is at most {error}{of}"
        )
    if walked := len(passed) - raced:
        said.append(f"{walked} PASS by a finished walk of every schedule, which leaves nothing to chance")
    return f"{'; '.join(said)}." if said else ""


def doubt_of(seen: Evidence) -> tuple[str, str] | None:
    """Why rounds without a hit do not mean that the server is clean, and what to do; None where nothing
    says so.

    A race could hide in each of these, whatever the control did.
    """
    # Only one reason is told, so the gravest comes first: what breaks without any race, then what was not
    # seen, then what was not put to the test.
    if seen.broken_serially:
        return (
            f"{', '.join(seen.broken_serially)} shows when the operations run one after the other as well: a "
            "broken promise, not a race",
            "look at how this server is set up; what is raced must work by itself first",
        )
    if seen.refused:
        return (
            f"the server refused {seen.refused} more, ended a link without a reply, or would not show its "
            "store: a race may have made its own round disappear",
            "see the replies and the server's log for why, mend that, and run again",
        )
    if seen.never_accepted is None:
        return "it is not recorded what the server accepted", "run it again with this mailrace"
    if seen.never_accepted:
        return (
            promised_nothing(seen.never_accepted),
            "see the replies in the report: the server refuses what the scenario does",
        )
    if seen.found < seen.promised:
        return (
            f"the server promised at least {seen.promised} stored copies, and {seen.found} were found",
            "see in the report which messages are missing",
        )
    if seen.found_by_steer:
        return (
            f"steer has found {', '.join(seen.found_by_steer)} on this version",
            "more rounds cannot clear what steer has shown; replay its schedule, or race with --confirm",
        )
    return ("a run was cut off before its end", "run that one again") if seen.is_cut_off else None


def _race(seen: Evidence) -> str:
    share = f"{seen.hits} of {seen.rounds} rounds hit"
    if not seen.one_rate:
        return f"{share}; the rate drifted from block to block, so no single rate describes the server"
    interval = clopper_pearson(seen.hits, seen.rounds)
    return (
        f"{share}: {100 * seen.hits / seen.rounds:.1f} % "
        f"({100 * interval.low:.1f} to {100 * interval.high:.1f} % "
        f"with {_percent(interval.confidence)} confidence)"
    )


def _more(control: ControlResult, needed: int) -> str:
    if not control.pairs_fired:
        return (
            "where the control never fires, a race might not show either: look at GOMAXPROCS and the "
            f"number of CPUs, choose another control, or steer: {STEER}"
        )
    more = ceil((needed - control.pairs_fired) * control.pairs / control.pairs_fired)
    often = "a control that fires more often"
    return f"about {more} more rounds if the control goes on as it did; or {often}; or steer: {STEER}"


def _inconclusive(reason: str, advice: str) -> Decision:
    return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason + ".", advice=advice + ".")


def _clean(seen: Evidence) -> str:
    return f"no hit in {seen.rounds} rounds{_lost(seen.lost)}"


def _lost(lost: int) -> str:
    return f" ({lost} more could not be looked at)" if lost else ""


def _confidence(rule: Rule) -> str:
    if rule.verdicts == 1:
        return f"{_percent(rule.confidence)} confidence"
    together = f"{_percent(rule.confidence)} for all {rule.verdicts} verdicts together"
    return f"{_percent(rule.confidence_each)} confidence ({together})"


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.4g} %"
