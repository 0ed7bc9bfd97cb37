"""Takes the results of runs that were split over CI jobs; gives the one result of all of them. Pure.

Where the jobs had different scenarios, these are put side by side; where they had rounds of one scenario,
counts add up. Each run counts once, and the verdict is reached again from the documents; pairs add up because
the rule for PASS holds at any stopping time. Every field is a sum, a union or an extreme, whatever the order.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mailrace.model.errors import UsageError
from mailrace.model.result import (
    SCHEMA_VERSION,
    ControlResult,
    Rule,
    RunResult,
    ScenarioResult,
    Verdict,
    Witness,
)
from mailrace.model.target import TargetInfo
from mailrace.race.tally import SAMPLE_MAX, WITNESSES_MAX
from mailrace.report.document import plain
from mailrace.studies.absence import found_by_walk, races_of
from mailrace.studies.counts import counts, telling_control, with_counts
from mailrace.verdict import (
    clopper_pearson,
    decide,
    evidence_of,
    gravest,
    is_overdispersed,
    theta_bound,
    whole_of,
    why_unfinished,
)

BETWEEN = " | "
"""Between values that differ from job to job."""


def merge(results: Sequence[RunResult], *, theta: float | None = None) -> RunResult:
    """One result of all, judged by the same rule as a run. Merging adds up counts; it never adds evidence.

    theta   of the rule for PASS; None: the strictest of the runs'
    Raises UsageError for none, for a run that is there twice (alone, or as a part of an earlier merge), for
    runs of several servers or of scenarios that only share a name, and for counts that no run can have.
    """
    if not results:
        raise UsageError("merge: nothing to merge; name the folders of runs")
    # First whatever cannot be added up is refused: a run that is there twice, two servers, impossible counts.
    tokens = _tokens(results)
    target = _target([r.target for r in results])
    found: dict[tuple[str, str], list[ScenarioResult]] = {}
    for result in results:
        for scenario in result.scenarios:
            _require_possible(scenario)
            found.setdefault((scenario.name, scenario.mode), []).append(scenario)
    for name in sorted({name for name, _ in found}):
        _require_one_scenario(name, [p for (n, _), parts in found.items() if n == name for p in parts])
    # All verdicts of the merge share one confidence, as those of one run do.
    rule = Rule(
        confidence=max(r.rule.confidence for r in results),
        theta=min(r.rule.theta for r in results) if theta is None else theta,
        verdicts=max(len(found), *(r.rule.verdicts for r in results)),
    )
    is_cut_off = any(r.cut_off for r in results)
    scenarios = []
    for name, mode in sorted(found):
        joined = _joined(found[name, mode], rule)
        by_steer = [p for p in found.get((name, "steer"), ()) if mode == "race"]
        shown = tuple(dict.fromkeys(race for part in by_steer for race in found_by_walk(part)))
        scenarios.append(_judged(joined, rule, shown, is_cut_off=is_cut_off))
    return RunResult(
        mailrace=_words(r.mailrace for r in results),
        schema_version=SCHEMA_VERSION,
        verdict=gravest(s.verdict for s in scenarios),
        target=target,
        seed=min(r.seed for r in results),
        run=BETWEEN.join(tokens),
        command=_words(r.command for r in results),
        started=min(r.started for r in results),
        environment=_texts(r.environment for r in results),
        scenarios=tuple(scenarios),
        rule=rule,
        whole=whole_of(scenarios, rule),
        parts=tokens,
        cut_off=is_cut_off,
    )


def _tokens(results: Sequence[RunResult]) -> tuple[str, ...]:
    """The tokens of all runs, with those in earlier merges. Raises UsageError where one is there twice."""
    times = Counter(token for r in results for token in r.parts or (r.run,))
    if "" in times:
        raise UsageError("merge: a run has no token, so it cannot be told from another; run it again")
    if twice := sorted(token for token, count in times.items() if count > 1):
        raise UsageError(
            f"merge: run {twice[0]} is there {times[twice[0]]} times (a copy of it, or a merge that holds "
            "it), and its rounds would count as often; name each run once"
        )
    return tuple(sorted(times))


def _require_possible(part: ScenarioResult) -> None:
    """Raises UsageError for counts that no run can have: mailrace did not write such a document."""
    control = part.control
    is_possible = 0 <= part.hits <= max(part.rounds, part.hits * (part.mode == "steer"))
    is_possible &= min(part.rounds, part.rounds_lost, part.found, *part.expected) >= 0
    is_possible &= 0 <= part.rounds_refused <= part.rounds_lost
    is_race = part.verdict is Verdict.RACE or bool(races_of(part))
    is_possible &= part.hits > 0 or part.mode == "steer" or not is_race
    if control is not None:
        is_possible &= 0 <= control.pairs_fired <= min(control.pairs, control.hits)
        is_possible &= control.pairs <= part.rounds and control.kind in (1, 2, 3)
    if not is_possible:
        raise UsageError(f"merge: {part.name}: its rounds, hits and pairs cannot be those of a run")


def _require_one_scenario(name: str, parts: Sequence[ScenarioResult]) -> None:
    if len({part.digest for part in parts}) > 1:
        raise UsageError(
            f"merge: {name}: the runs raced different scenarios of that name; run the same file in all jobs"
        )


def _target(targets: Sequence[TargetInfo]) -> TargetInfo:
    """The one server that all jobs looked at; a job whose server never started knows no version."""
    known = sorted({t.version for t in targets} - {"unknown"})
    names = sorted({t.name for t in targets})
    if len(names) > 1 or len(known) > 1:
        raise UsageError(
            f"merge: {' and '.join(names if len(names) > 1 else known)} are not one server; "
            "`mailrace matrix` and `mailrace gate` compare several"
        )
    fitting = [t for t in targets if not known or t.version == known[0]]
    return replace(
        min(fitting, key=lambda t: (t.version_source, t.storage)),
        settings=_texts(t.settings for t in targets),
        limits=tuple(sorted({limit for t in targets for limit in t.limits})),
    )


def _joined(parts: Sequence[ScenarioResult], rule: Rule) -> ScenarioResult:
    """The counts of one scenario that several jobs ran; its words are those of the gravest part."""
    parts = [_taken_back(part) for part in parts]
    if parts[0].mode != "race":
        return _gravest(parts)
    # Merging must give the same in whatever order the folders are named. So every list is sorted, and every
    # number is a sum or a maximum.
    blocks = tuple(
        sorted(
            (block for p in parts for block in p.blocks),
            key=lambda b: (b.first_round, b.rounds, b.hits, b.control_hits),
        )
    )
    rounds, hits = sum(p.rounds for p in parts), sum(p.hits for p in parts)
    seconds = _sums(p.seconds for p in parts)
    whole_s = seconds.get("all", 0.0)
    # Each machine has a rate of its own, so two of them get no interval, which would describe one rate.
    machines = _words(p.machine for p in parts)
    is_one_rate = BETWEEN not in machines and not is_overdispersed(blocks)
    words = _gravest(parts)
    # Title, file, profile and the like are those of the first in the alphabet.
    leader = min(parts, key=lambda p: (p.title, p.file, p.profile, p.release_at))
    return replace(
        with_counts(leader, parts),
        verdict=words.verdict,
        reason=words.reason,
        advice=words.advice,
        hits=hits,
        interval=clopper_pearson(hits, rounds) if rounds and is_one_rate else None,
        anomalies=counts(p.anomalies for p in parts),
        witnesses=_witnesses(parts),
        sample=tuple(sorted((s for p in parts for s in p.sample), key=_text)[:SAMPLE_MAX]),
        not_looked=tuple(sorted({said for p in parts for said in p.not_looked})),
        control=_control([control for p in parts if (control := telling_control(p)) is not None], rule),
        skew_us=max(
            (p.skew_us for p in parts if p.skew_us is not None), key=lambda s: (s.p95, s.p50), default=None
        ),
        rounds_per_s=rounds / whole_s if whole_s else 0.0,
        machine=machines,
        seconds=seconds,
        replies=counts(p.replies for p in parts),
        blocks=blocks,
    )


def _judged(
    joined: ScenarioResult, rule: Rule, found_by_steer: tuple[str, ...], *, is_cut_off: bool
) -> ScenarioResult:
    """The result with the verdict on the sums. Parts that did not fail do not outweigh one that failed."""
    if joined.mode != "race":
        return joined
    if not _was_exercised(joined) or (joined.verdict is Verdict.FAILED and not joined.hits):
        # The part's own reason says it: it failed, does not apply, or must not run there.
        return joined
    decision = decide(evidence_of(joined, found_by_steer=found_by_steer, is_cut_off=is_cut_off), rule)
    return replace(joined, verdict=decision.verdict, reason=decision.reason, advice=decision.advice)


def _was_exercised(part: ScenarioResult) -> bool:
    return bool(part.rounds or part.rounds_lost)


def _taken_back(part: ScenarioResult) -> ScenarioResult:
    """The part; INCONCLUSIVE where it says PASS and its own counts do not bear that out."""
    if part.verdict is not Verdict.PASS:
        return part
    if part.mode == "race":
        why = "" if _was_exercised(part) else "nothing was exercised"
    else:
        why = why_unfinished(part.schedules) if part.schedules else "nothing was walked"
    return (
        replace(part, verdict=Verdict.INCONCLUSIVE, reason=f"{why}.", advice="run it again.") if why else part
    )


def _gravest(parts: Sequence[ScenarioResult]) -> ScenarioResult:
    """The part with the gravest verdict; of several the same one in whatever order they come."""
    word = gravest(p.verdict for p in parts)
    return min([p for p in parts if p.verdict is word] or parts, key=_text)


def _control(controls: Sequence[ControlResult], rule: Rule) -> ControlResult | None:
    """The pairs with the strongest control, from all jobs that had it, whatever their order."""
    if not controls:
        return None

    def key(control: ControlResult) -> tuple[int, str, str]:
        return control.kind, control.target, control.scenario

    strongest = min(key(c) for c in controls)
    same = [c for c in controls if key(c) == strongest]
    fired = sum(c.pairs_fired for c in same)
    return replace(
        min(same, key=lambda c: c.why),
        pairs=sum(c.pairs for c in same),
        pairs_fired=fired,
        hits=sum(c.hits for c in same),
        confidence=rule.confidence_each,
        bound=theta_bound(fired, rule.confidence_each),
    )


def _witnesses(parts: Sequence[ScenarioResult]) -> tuple[Witness, ...]:
    kept: Counter[str] = Counter()
    found = []
    for witness in sorted((w for p in parts for w in p.witnesses), key=_text):
        kept[witness.anomaly.name] += 1
        if kept[witness.anomaly.name] <= WITNESSES_MAX:
            found.append(witness)
    return tuple(found)


def _text(value: object) -> str:
    return str(plain(value))


def _sums(maps: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Seconds by name, added up as whole milliseconds, so that the order of adding changes nothing."""
    total_ms: Counter[str] = Counter()
    for one in maps:
        for name, value in one.items():
            total_ms[name] += round(value * 1000)
    return {name: total_ms[name] / 1000 for name in sorted(total_ms)}


def _words(texts: Iterable[str]) -> str:
    """Each text once, in alphabetical order. A text that an earlier merge has put together is taken apart."""
    return BETWEEN.join(sorted({part for text in texts for part in text.split(BETWEEN)}))


def _texts(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    held = list(maps)
    return {
        name: _words(one[name] for one in held if name in one)
        for name in sorted({n for one in held for n in one})
    }
