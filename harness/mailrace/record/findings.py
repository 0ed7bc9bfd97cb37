"""A suite's record in, all that is said of it out: what happened, what overlapped, what it does to itself.

`Findings` is what record.json holds; the page and the table on the terminal are made from it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from mailrace.record.as_scenario import as_scenario, name_of
from mailrace.record.happened import happened
from mailrace.record.hazards import HAZARDS
from mailrace.record.overlaps import shapes
from mailrace.record.recorded import Recorded
from mailrace.record.suite import Suite

EVIDENCE_MAX = 5
"""Occurrences of one finding that are told; all are counted."""
BESIDE_S = 0.05
"""What is drawn before and after the operations of a finding."""
DRAWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One bar of a timeline, seconds since the record began; `is_guilty`: it is part of the finding."""

    label: str
    connection: int
    begun_s: float
    ended_s: float
    is_guilty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A thing that happened, or a hazard: how often, and the first occurrences with a timeline of the first.

    group   "happened" (the server broke a promise) or "hazard" (the suite's own)
    tests   the tests in which it occurred, where that is known
    """

    group: str
    name: str
    seen: str
    why: str
    remedy: str
    times: int
    evidence: tuple[str, ...]
    tests: tuple[str, ...] = ()
    timeline: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A kind of overlap that occurred, and what is known of it on this version.

    file      the scenario that was written for it; "" where no actor does what one of the operations does
    verdict   what steer says of that scenario on the recorded version; "" where it was not asked
    """

    first: str
    second: str
    relation: str
    times: int
    example: str
    scenario: str
    file: str = ""
    verdict: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What record.json holds."""

    mailrace: str
    started: str
    target: str
    version: str
    command: str
    operations: int
    connections: int
    processes: int
    child_status: int | None
    judged: int
    not_judged: int
    happened: tuple[Finding, ...]
    hazards: tuple[Finding, ...]
    overlaps: tuple[Overlap, ...]
    not_seen: tuple[str, ...]
    is_store_known: bool

    def as_json(self) -> str:
        """The text of record.json."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=True) + "\n"

    def with_overlaps(self, overlaps: Sequence[Overlap]) -> "Findings":
        """The same, with what steer has said since."""
        return replace(self, overlaps=tuple(overlaps))


def findings_of(suite: Suite, *, child_status: int | None = None, is_store_known: bool = True) -> Findings:
    """All that the record shows. Without the store at the end nothing is said of what it should hold."""
    if is_store_known:
        broken = happened(suite)
        found, judged, not_judged = broken.found, broken.judged, broken.not_judged
    else:
        found, judged, not_judged = (), 0, len(suite.mails)
    # One finding a name: a suite that breaks the same promise a thousand times has one thing to mend.
    by_name: dict[str, list[tuple[str, tuple[Recorded, ...]]]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append((one.sentence, (one.operation, *one.beside)))
    return Findings(
        mailrace=suite.begun.mailrace,
        started=suite.begun.started,
        target=suite.begun.target,
        version=suite.begun.version,
        command=suite.begun.command,
        operations=len(suite.operations),
        connections=len(suite.connections),
        processes=len(suite.parties() - {0}),
        child_status=child_status,
        judged=judged,
        not_judged=not_judged,
        happened=tuple(_finding(suite, "happened", name, seen) for name, seen in by_name.items()),
        hazards=_hazards(suite),
        overlaps=tuple(_overlaps(suite)),
        not_seen=_not_seen(suite),
        is_store_known=is_store_known,
    )


def _hazards(suite: Suite) -> tuple[Finding, ...]:
    found = []
    for hazard in HAZARDS:
        seen = [(one.sentence, one.operations) for one in hazard.find(suite)]
        if seen:
            finding = _finding(suite, "hazard", hazard.name, seen)
            found.append(replace(finding, seen=hazard.seen, why=hazard.why, remedy=hazard.remedy))
    return tuple(found)


def _finding(
    suite: Suite, group: str, name: str, seen: Sequence[tuple[str, tuple[Recorded, ...]]]
) -> Finding:
    tests = dict.fromkeys(test for _, shown in seen for one in shown if (test := suite.test_of(one)))
    return Finding(
        group=group,
        name=name,
        seen="",
        why="",
        remedy="",
        times=len(seen),
        evidence=tuple(sentence for sentence, _ in seen[:EVIDENCE_MAX]),
        tests=tuple(tests)[:EVIDENCE_MAX],
        timeline=_timeline(suite, seen[0][1]),
    )


def _timeline(suite: Suite, guilty: tuple[Recorded, ...]) -> tuple[Drawn, ...]:
    """The operations of a finding and what ran beside them, in the order of their starts."""
    begin_ns = min(one.invoked_ns for one in guilty) - int(BESIDE_S * 1e9)
    end_ns = max(one.completed_ns for one in guilty) + int(BESIDE_S * 1e9)
    beside = [
        one
        for one in suite.operations
        if one not in guilty and one.invoked_ns < end_ns and one.completed_ns > begin_ns
    ]
    chosen = sorted((*guilty, *beside[: DRAWN_MAX - len(guilty)]), key=lambda one: one.invoked_ns)
    zero = suite.begun.t_ns
    return tuple(
        Drawn(
            label=f"{one.kind} {one.code or 'no reply'}",
            connection=one.connection,
            begun_s=(one.invoked_ns - zero) / 1e9,
            ended_s=(one.completed_ns - zero) / 1e9,
            is_guilty=one in guilty,
        )
        for one in chosen
    )


def _overlaps(suite: Suite) -> list[Overlap]:
    return [
        Overlap(
            first=seen.shape.first,
            second=seen.shape.second,
            relation=seen.shape.relation,
            times=seen.times,
            example=" ∥ ".join(suite.who(one) for one in seen.examples[0]),
            scenario=as_scenario(seen.shape),
            file=f"{name_of(seen.shape)}.race.yaml" if as_scenario(seen.shape) else "",
        )
        for seen in shapes(suite.operations)
    ]


def _not_seen(suite: Suite) -> tuple[str, ...]:
    counted = Counter(note.why for note in suite.not_seen)
    said = [
        f"{times} connections: {why}" if times > 1 else f"1 connection: {why}"
        for why, times in counted.items()
    ]
    if suite.operations and suite.parties() == {0}:
        said.append(
            "no client's process is known (it runs elsewhere, or this is no Linux), so nothing can be said "
            "of processes that disturb each other"
        )
    return tuple(said)
