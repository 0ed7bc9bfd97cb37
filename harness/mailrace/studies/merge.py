"""Results of runs that were split over CI jobs in, the one result of all of them out. Pure.

Split by scenarios, the scenarios are put side by side; split by rounds, counts add up, and the verdict is
decided again from the sums (the rule for PASS holds at any stopping time, so pairs of several jobs add up).
Every field is a sum, a union or an extreme, so the order of merging and its grouping change nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mailrace.model.errors import UsageError
from mailrace.model.result import SCHEMA_VERSION, ControlResult, RunResult, ScenarioResult, Verdict, Witness
from mailrace.model.target import TargetInfo
from mailrace.race.tally import SAMPLE_MAX, WITNESSES_MAX
from mailrace.report.document import plain
from mailrace.verdict import (
    CONFIDENCE,
    THETA,
    clopper_pearson,
    decide,
    gravest,
    is_overdispersed,
    merged,
    theta_bound,
)

BETWEEN = " | "
"""Between values that differ from job to job."""


def merge(results: Sequence[RunResult], *, theta: float = THETA) -> RunResult:
    """One result of all; a single one is given back as it is.

    theta   of the rule for PASS where a scenario was split by rounds
    Raises UsageError for none, and where the jobs did not look at one and the same server.
    """
    if not results:
        raise UsageError("nothing to merge; name the folders of runs")
    if len(results) == 1:
        return results[0]
    target = _target([r.target for r in results])
    found: dict[tuple[str, str], list[ScenarioResult]] = {}
    for result in results:
        for scenario in result.scenarios:
            found.setdefault((scenario.name, scenario.mode), []).append(scenario)
    scenarios = tuple(_scenario(found[key], theta) for key in sorted(found))
    return RunResult(
        mailrace=_words(r.mailrace for r in results),
        schema_version=SCHEMA_VERSION,
        verdict=gravest(s.verdict for s in scenarios),
        target=target,
        seed=min(r.seed for r in results),
        run=_words(r.run for r in results),
        command=_words(r.command for r in results),
        started=min(r.started for r in results),
        environment=_texts(r.environment for r in results),
        scenarios=scenarios,
        cut_off=any(r.cut_off for r in results),
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


def _scenario(parts: Sequence[ScenarioResult], theta: float) -> ScenarioResult:
    """One scenario that several jobs ran."""
    if len(parts) == 1:
        return parts[0]
    if any(part.schedules is not None for part in parts) or parts[0].mode != "race":
        return _steered(parts)
    fields = ("rounds", "hits", "rounds_lost", "rounds_refused", "rounds_dropped")
    rounds, hits, lost, refused, dropped = (sum(getattr(p, f) for p in parts) for f in fields)
    blocks = tuple(
        sorted(
            (block for p in parts for block in p.blocks),
            key=lambda b: (b.first_round, b.rounds, b.hits, b.control_hits),
        )
    )
    one_rate = not is_overdispersed([b for b in blocks if b.rounds])
    control = _control([p.control for p in parts if p.control is not None])
    decision = decide(
        rounds=rounds,
        hits=hits,
        lost=lost,
        refused=refused,
        control=control,
        confidence=control.confidence if control else CONFIDENCE,
        theta=theta,
        one_rate=one_rate,
    )
    verdict, reason, advice = decision.verdict, decision.reason, decision.advice
    failed = [p for p in parts if p.verdict is Verdict.FAILED]
    if failed:
        verdict = merged(verdict, Verdict.FAILED)
        if verdict is Verdict.FAILED:
            reason, advice = _words(p.reason for p in failed), ""
    elif all(p.verdict is Verdict.NOT_APPLICABLE for p in parts):
        verdict, reason, advice = Verdict.NOT_APPLICABLE, _words(p.reason for p in parts), ""
    seconds = _sums(p.seconds for p in parts)
    whole_s = seconds.get("all", 0.0)
    return replace(
        _leader(parts),
        verdict=verdict,
        reason=reason,
        advice=advice,
        rounds=rounds,
        rounds_lost=lost,
        rounds_refused=refused,
        rounds_dropped=dropped,
        hits=hits,
        interval=clopper_pearson(hits, rounds) if rounds and one_rate else None,
        anomalies=_counts(p.anomalies for p in parts),
        witnesses=_witnesses(parts),
        sample=tuple(sorted((s for p in parts for s in p.sample), key=_text)[:SAMPLE_MAX]),
        not_looked=tuple(sorted({said for p in parts for said in p.not_looked})),
        control=control,
        skew_us=max(
            (p.skew_us for p in parts if p.skew_us is not None), key=lambda s: (s.p95, s.p50), default=None
        ),
        rounds_per_s=rounds / whole_s if whole_s else 0.0,
        seconds=seconds,
        replies=_counts(p.replies for p in parts),
        expected=(sum(p.expected[0] for p in parts), sum(p.expected[1] for p in parts)),
        found=sum(p.found for p in parts),
        blocks=blocks,
    )


def _steered(parts: Sequence[ScenarioResult]) -> ScenarioResult:
    """The walk that says most: the gravest; of those, one for certain."""
    word = gravest(p.verdict for p in parts)
    fitting = [p for p in parts if p.verdict is word] or list(parts)
    return min(fitting, key=_text)


def _control(controls: Sequence[ControlResult]) -> ControlResult | None:
    """The pairs with the strongest control, from all jobs that had it; of equal kinds, one for certain."""
    if not controls:
        return None

    def key(control: ControlResult) -> tuple[int, str, str]:
        return control.kind, control.target, control.scenario

    strongest = min(key(c) for c in controls)
    same = [c for c in controls if key(c) == strongest]
    fired = sum(c.pairs_fired for c in same)
    confidence = max(c.confidence for c in same)
    return replace(
        min(same, key=lambda c: c.why),
        pairs=sum(c.pairs for c in same),
        pairs_fired=fired,
        hits=sum(c.hits for c in same),
        confidence=confidence,
        bound=theta_bound(fired, confidence),
    )


def _witnesses(parts: Sequence[ScenarioResult]) -> tuple[Witness, ...]:
    kept: Counter[str] = Counter()
    found = []
    for witness in sorted((w for p in parts for w in p.witnesses), key=_text):
        kept[witness.anomaly.name] += 1
        if kept[witness.anomaly.name] <= WITNESSES_MAX:
            found.append(witness)
    return tuple(found)


def _leader(parts: Sequence[ScenarioResult]) -> ScenarioResult:
    """Title, file, profile and the like: of the first in the alphabet, the same in any order."""
    return min(parts, key=lambda p: (p.title, p.file, p.profile, p.release_at))


def _text(value: object) -> str:
    return str(plain(value))


def _counts(maps: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in maps:
        total.update(one)
    return dict(sorted(total.items()))


def _sums(maps: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Seconds by name, to the millisecond, so that no order of adding shows."""
    total_ms: Counter[str] = Counter()
    for one in maps:
        for name, value in one.items():
            total_ms[name] += round(value * 1000)
    return {name: total_ms[name] / 1000 for name in sorted(total_ms)}


def _words(texts: Iterable[str]) -> str:
    """Each text once, in alphabetical order; one that is a merge already is taken apart."""
    return BETWEEN.join(sorted({part for text in texts for part in text.split(BETWEEN)}))


def _texts(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    held = list(maps)
    return {
        name: _words(one[name] for one in held if name in one)
        for name in sorted({n for one in held for n in one})
    }
