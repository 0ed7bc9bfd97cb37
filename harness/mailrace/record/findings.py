"""Takes a suite's record; gives all findings: what happened, what overlapped, what the suite does to itself.

`Findings` is what record.json holds; the page and the table on the terminal are made from it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from mailrace.model.consequences import CONSEQUENCES
from mailrace.model.phrases import plural
from mailrace.record.as_scenario import as_scenario, name_of
from mailrace.record.doubts import unread_connections
from mailrace.record.happened import RETRIED_AFTER_YES, happened
from mailrace.record.hazards import HAZARDS
from mailrace.record.overlaps import shapes
from mailrace.record.recorded import Recorded
from mailrace.record.suite import UNKNOWN, Suite
from mailrace.record.timeline import Drawn, timeline

RETRIED_WHY = "The server has it twice from then on, as it was asked to: this is no fault of the server."
RETRIED_REMEDY = "Send again only what was refused, or whose reply did not come."
KILLED = "the recorder was killed, and nobody saw what came after"
BUSY_MAX = 3
EVIDENCE_MAX = 5
"""How many occurrences of one finding are told; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A thing that happened, or a hazard: how often, and the first occurrences with a timeline of the first.

    group   "happened" (the server broke a promise) or "hazard" (the suite's own)
    tests   the tests in which it occurred, where that is known
    """

    group: str
    name: str
    seen: str = ""
    why: str = ""
    remedy: str = ""
    times: int
    evidence: tuple[str, ...]
    tests: tuple[str, ...] = ()
    timeline: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A kind of overlap that occurred, and what is known of it on this version.

    file      the scenario that was written for it; "" where no actor does what one of the operations does
    verdict   steer's verdict on that scenario on the recorded version; "" where it was not asked
    elsewhere   what is known about other versions, a few words each
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
    elsewhere: tuple[str, ...] = ()
    timeline: tuple[Drawn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What record.json holds.

    child_status  of the suite's command; None: there was none, or it is not known
    judged        accepted mails that must be in the store; not_judged: those that may have been deleted
    untold        mails that cannot be told from others in the store, so it is not known if they are there
    not_whole     why operations may be missing in the record
    doubts        why the server's promises were not judged at all
    unread        connections that passed unread; `not_seen` says why, and what else was not seen
    """

    mailrace: str
    started: str
    target: str
    version: str
    command: str
    operations: int
    connections: int
    processes: int
    child_status: int | None
    keeps_content: bool
    judged: int
    not_judged: int
    untold: int
    happened: tuple[Finding, ...]
    hazards: tuple[Finding, ...]
    overlaps: tuple[Overlap, ...]
    not_whole: tuple[str, ...]
    doubts: tuple[str, ...]
    unread: int
    not_seen: tuple[str, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The promises that the server broke: what happened, without what a client did by itself."""
        return tuple(one for one in self.happened if one.name != RETRIED_AFTER_YES)

    @property
    def is_seen_whole(self) -> bool:
        """Whether all was looked at, so that nothing found means that nothing was there."""
        return bool(self.operations) and not (self.not_whole or self.doubts or self.unread or self.untold)

    def status(self, *, counts_hazards: bool) -> int:
        """The exit status: the command's own where it failed, else 1, 3 or 0."""
        if self.child_status:
            return self.child_status
        if self.broken or (counts_hazards and (self.hazards or self.happened)):
            return 1
        return 0 if self.is_seen_whole else 3

    def as_json(self) -> str:
        """The text of record.json."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=True) + "\n"

    def with_overlaps(self, overlaps: Sequence[Overlap]) -> "Findings":
        """The same, with steer's verdicts on these overlaps."""
        return replace(self, overlaps=tuple(overlaps))


def findings_of(suite: Suite, failures: tuple[str, ...] = ()) -> Findings:
    """All that the record shows. `failures`: why it is not whole, beside what it says of that itself."""
    broken = happened(suite)
    # One finding a name: a suite that breaks the same promise a thousand times has one thing to mend.
    by_name: dict[str, list[tuple[str, tuple[Recorded, ...]]]] = {}
    for one in broken.found:
        by_name.setdefault(one.name, []).append((one.sentence, (one.operation, *one.beside)))
    ended = suite.ended
    return Findings(
        mailrace=suite.begun.mailrace,
        started=suite.begun.started,
        target=suite.begun.target,
        version=suite.begun.version,
        command=suite.begun.command,
        operations=len(suite.operations),
        connections=len(suite.connections),
        processes=len(suite.by_party),
        child_status=ended.status if ended is not None else None,
        keeps_content=suite.begun.keeps_content,
        judged=broken.judged,
        not_judged=broken.not_judged,
        untold=broken.untold,
        happened=tuple(
            _with_consequence(_finding(suite, "happened", name, seen)) for name, seen in by_name.items()
        ),
        hazards=_hazards(suite),
        overlaps=tuple(_overlaps(suite)),
        not_whole=tuple(dict.fromkeys((*failures, *(ended.failures if ended is not None else (KILLED,))))),
        doubts=broken.doubts,
        unread=unread_connections(suite),
        not_seen=tuple(_not_seen(suite)),
    )


def _with_consequence(finding: Finding) -> Finding:
    """The finding with what it means for whoever uses the server, and what helps."""
    if finding.name == RETRIED_AFTER_YES:
        return replace(finding, why=RETRIED_WHY, remedy=RETRIED_REMEDY)
    told = next(told for name, told in CONSEQUENCES.items() if name.value == finding.name)
    return replace(finding, why=told.meaning, remedy=told.remedy)


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
        times=len(seen),
        evidence=tuple(sentence for sentence, _ in seen[:EVIDENCE_MAX]),
        tests=tuple(tests)[:EVIDENCE_MAX],
        timeline=timeline(suite, seen[0][1]),
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
            timeline=timeline(suite, seen.examples[0]),
        )
        for seen in shapes(suite.operations)
    ]


def _not_seen(suite: Suite) -> Iterator[str]:
    for why, times in Counter(note.why for note in suite.not_seen).items():
        yield f"{plural(times, 'connection')}: {why}"
    unknown = sum(connected.pid == UNKNOWN for connected in suite.connections.values())
    if unknown:
        yield (
            f"the client's process of {unknown} of {plural(len(suite.connections), 'connection')} is not "
            "known (it runs elsewhere, belongs to another user, or this is no Linux), so it is not known "
            "what those disturb"
        )
    for busy in suite.busy[:BUSY_MAX]:
        yield f"{busy} did several things at once; what its threads do to each other cannot be told apart"
    testers = [operations for party, operations in suite.by_party.items() if party in suite.testers]
    if len(testers) > 1 and all(len(operations) == 1 for operations in testers):
        yield "each process did one thing and ended, so it is not known which of them belong to one test"
