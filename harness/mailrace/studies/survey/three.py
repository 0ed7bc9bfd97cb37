"""Takes a surveyed version; gives what three operations at a time show and no two of them show.

All schedules of three are walked without a server, and one of each outcome is run on the servers. What no
pair shows is then to be shown on one server, if that can be done (`mailrace.steer.three` says how).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailrace.model.cause import Cause
from mailrace.model.consequences import HARMS
from mailrace.model.errors import ScheduleMissed, TargetError
from mailrace.model.operation import PlannedRound
from mailrace.model.survey import SurveyedCause, SurveyedTriple, ThreeActors, TripleVerdict
from mailrace.scenario import Plan, new_run, server_options, why_not_applicable
from mailrace.scenario.load import scenario_from
from mailrace.steer.surveying import Surveying
from mailrace.steer.three import Found, Three
from mailrace.studies.survey.state import FoundTriple, State
from mailrace.studies.survey.triples import Triple
from mailrace.targets import TargetName
from mailrace.verdict import promised_nothing

LOOK_S_MAX = 30.0
"""So long one triple is looked at: its walk, and its runs on the servers."""
REALISE_S_MAX = 15.0
"""So long it is tried to show one cause on one server."""
_RUN = new_run(b"survey")


@dataclass(slots=True)
class ThreeSurveyor:
    """Looks at three operations at a time on the servers of one version.

    known      names of the causes that pairs have shown
    deadline   monotonic seconds after which nothing new begins
    """

    target: TargetName
    state: State
    folder: Path
    known: frozenset[str]
    deadline: float
    progress: Callable[[str], None] = lambda _: None
    _servers: Surveying | None = field(default=None, init=False)

    def survey(self, wanted: Sequence[Triple]) -> None:
        """Look at each triple that the state does not hold yet, while there is time. Raises TargetError."""
        try:
            for number, triple in enumerate(wanted, start=1):
                if triple.name in self.state.triples:
                    continue
                if time.monotonic() > self.deadline:
                    return
                self.progress(f"{number} of {len(wanted)} triples: {triple.name}")
                self.state.add_triple(self._looked(triple))
        finally:
            self._stop()

    def _looked(self, triple: Triple) -> FoundTriple:
        """One triple. Where the servers fail it is INCONCLUSIVE."""
        began = time.monotonic()
        scenario = scenario_from(triple.scenario, self.folder)
        planned = Plan(scenario, 0, _RUN).round(0)
        one, two, three = planned.operations
        a, b, c = triple.operations
        said = SurveyedTriple(
            operations=(a.name, b.name, c.name),
            kinds=(one.kind, two.kind, three.kind),
            relation=triple.relation,
            verdict=TripleVerdict.INCONCLUSIVE,
            why="",
        )
        # The servers are kept from triple to triple, as those of pairs are. After a failure there are new
        # ones.
        if self._servers is None:
            self._servers = Surveying(self.target, server_options(scenario), self.folder, instances=3)
        try:
            if why := why_not_applicable(scenario, self._servers.version(planned)):
                return FoundTriple(triple=replace(said, verdict=TripleVerdict.NOT_APPLICABLE, why=f"{why}."))
            looked = self._servers.three(planned, LOOK_S_MAX)
            if looked is None:
                return FoundTriple(triple=said, is_apart=True)
            found = looked.found(self.known)
            causes = self._shown(planned, looked, [one for one in found if one.new])
        except (TargetError, ScheduleMissed) as wrong:
            self._stop()
            return FoundTriple(triple=replace(said, why=f"The server could not be looked at ({wrong})."))
        told = judged_triple(said, triple, looked, found, causes)
        return FoundTriple(triple=replace(told, seconds=round(time.monotonic() - began, 3)), causes=causes)

    def _shown(self, planned: PlannedRound, looked: Three, found: Iterable[Found]) -> tuple[Cause, ...]:
        """Each new cause with what became of it on one server, in this triple or in an earlier one."""
        assert self._servers is not None
        before = {cause.name: cause for one in self.state.triples.values() for cause in one.causes}
        causes = []
        for one in found:
            cause = before.get(one.cause.name)
            if cause is None or cause.fate != "realised":
                cause = self._servers.realise_three(planned, looked, one.end, REALISE_S_MAX)
            causes.append(cause)
        return tuple(causes)

    def _stop(self) -> None:
        if self._servers is not None:
            self._servers.stop()
            self._servers = None


def judged_triple(
    said: SurveyedTriple, triple: Triple, looked: Three, found: Sequence[Found], causes: Sequence[Cause]
) -> SurveyedTriple:
    """The triple's verdict, and the sentence that says what stands behind it."""
    schedules, bad = looked.schedules
    doubt = looked.doubt or promised_nothing([k for k in looked.refused if k not in triple.refused_by_right])
    # What was bad on the servers comes before any doubt, because it stands whatever else was missed.
    by_three = sum(end.is_by_three for end in looked.bad)
    walked = f"{looked.run} of {looked.outcomes} predicted outcomes run"
    told = f"{walked}, {len(looked.bad)} bad"
    if looked.is_told_from_pairs:
        told = f"{told}, {by_three} of them by three at a time"
    if causes:
        verdict = TripleVerdict.BY_THREE
        new = "; ".join(f"{one.cause.name} ({one.new})" for one in found if one.new)
        why = f"No two of them show {new}; {told}."
    elif looked.bad:
        is_decided = looked.is_told_from_pairs and not doubt
        verdict = TripleVerdict.AS_PAIRS if is_decided else TripleVerdict.INCONCLUSIVE
        known = "two" if looked.is_told_from_pairs else "it is not known whether two"
        why = f"{told}; {known} of the three break the same."
    elif doubt:
        verdict, why = TripleVerdict.INCONCLUSIVE, f"{doubt[:1].upper()}{doubt[1:]}; {walked}, none bad."
    elif looked.is_exhaustive:
        verdict, why = TripleVerdict.PASS, "Every class of its schedules was run on the servers, none bad."
    else:
        verdict, why = TripleVerdict.PREDICTED, f"{walked}, none bad; the rest is predicted, so no PASS."
    return replace(
        said,
        verdict=verdict,
        why=f"{why[:-1]}; {doubt}." if doubt and looked.bad else why,
        causes=tuple(cause.name for cause in causes),
        harm=min((one.cause.harm for one in found), key=HARMS.index).value if found else "",
        schedules=schedules,
        bad=bad,
        states=looked.space.graph.nodes,
        outcomes=looked.outcomes,
        asked=looked.asked,
    )


def three_actors(state: State, wanted: Sequence[Triple], apart: int) -> ThreeActors:
    """What the state holds of triples as the survey's document has it.

    apart   triples that were left out, because one operation shares nothing with the other two
    """
    # Where several triples have a cause, it is told by one that one server was made to show, if there is any.
    looked = [state.triples[one.name] for one in wanted if one.name in state.triples]
    pairs: dict[str, list[str]] = {}
    best: dict[str, tuple[Cause, str]] = {}
    for one in looked:
        for cause in one.causes:
            pairs.setdefault(cause.name, []).append(one.triple.name)
            if cause.name not in best or best[cause.name][0].fate != "realised" == cause.fate:
                best[cause.name] = cause, one.triple.name
    causes = [
        SurveyedCause.of(cause, pairs=tuple(pairs[name]), shown_by=shown_by)
        for name, (cause, shown_by) in best.items()
    ]
    return ThreeActors(
        triples=tuple(one.triple for one in looked if not one.is_apart),
        causes=tuple(sorted(causes, key=lambda one: (HARMS.index(one.harm), one.name))),
        apart=apart + sum(one.is_apart for one in looked),
        left=len(wanted) - len(looked),
    )
