"""Takes what a survey's state holds; gives the document of survey.json."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailrace import __version__
from mailrace.model.cause import Cause
from mailrace.model.consequences import HARMS
from mailrace.model.survey import (
    SURVEY_SCHEMA_VERSION,
    ConflictCoverage,
    PairVerdict,
    Survey,
    SurveyedCause,
    SurveyedPair,
)
from mailrace.model.target import TargetInfo
from mailrace.studies.survey.relations import Pair
from mailrace.studies.survey.state import State

NOT_LOOKED = "Not looked at: the survey ended before it."


def survey_of(
    state: State,
    pairs: Sequence[Pair],
    target: TargetInfo,
    *,
    is_whole: bool,
    command: str = "",
    started: str = "",
    not_surveyed: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> Survey:
    """The document; pairs that were not looked at are INCONCLUSIVE in it."""
    # The verdict of a pair that shows a cause depends on what became of that cause, so the causes come first.
    causes = causes_of(state)
    realised = _realised(state)
    by_pair = {cause.shown_by: cause.name for cause in causes if cause.fate == "realised"}
    found = [state.found.get(pair.name) for pair in pairs]
    coverage = [one.coverage for one in found if one is not None]
    return Survey(
        mailrace=__version__,
        schema_version=SURVEY_SCHEMA_VERSION,
        target=target,
        command=command,
        started=started,
        is_whole=is_whole,
        pairs=tuple(
            pair.undecided(NOT_LOOKED) if one is None else _judged(one.pair, one.causes, realised, by_pair)
            for pair, one in zip(pairs, found, strict=True)
        ),
        causes=tuple(causes),
        coverage=ConflictCoverage(
            predicted=sum(one.predicted for one in coverage),
            exercised=sum(one.exercised for one in coverage),
            unreachable=tuple(one for each in coverage for one in each.unreachable),
        ),
        not_surveyed=not_surveyed or {},
        seconds=seconds or {},
    )


def causes_of(state: State) -> list[SurveyedCause]:
    """Every cause once, the worst harm first, with the pairs that show it."""
    pairs: dict[str, list[tuple[int, str]]] = {}
    known: dict[str, Cause] = {}
    for name, found in state.found.items():
        for cause, preemptions in zip(found.causes, found.preemptions, strict=True):
            pairs.setdefault(cause.name, []).append((preemptions, name))
            # What one server shows says more about a cause than what two servers show.
            if cause.name not in known or known[cause.name].fate == "two servers" != cause.fate:
                known[cause.name] = cause
    # A cause that was shown is told as it was shown. Any other is told by the pair that needs the fewest
    # preemptions.
    causes = []
    for name, cause in known.items():
        shown = state.shown.get(name)
        preemptions, easiest = min(pairs[name])
        whole = shown.cause if shown is not None else cause
        anomalies = dict.fromkeys([*cause.anomalies, *whole.anomalies])
        causes.append(
            SurveyedCause.of(
                replace(whole, anomalies=tuple(anomalies)),
                pairs=tuple(sorted(pair for _, pair in pairs[name])),
                shown_by=shown.pair if shown is not None else easiest,
                preemptions=preemptions,
            )
        )
    return sorted(
        causes, key=lambda cause: (cause.fate == "two servers", HARMS.index(cause.harm), cause.name)
    )


def _realised(state: State) -> dict[str, Cause]:
    """Each cause that one server was made to show, as it showed it."""
    each = [cause for found in state.found.values() for cause in found.causes]
    each += [shown.cause for shown in state.shown.values()]
    return {cause.name: cause for cause in each if cause.fate == "realised"}


def _judged(
    pair: SurveyedPair, causes: Sequence[Cause], realised: Mapping[str, Cause], by_pair: Mapping[str, str]
) -> SurveyedPair:
    """The pair's verdict, now that it is known what became of its causes."""
    own = [one for one in causes if one.fate != "two servers"]
    if not own:
        return pair
    if pair.name in by_pair or any(one.fate == "realised" for one in causes):
        return replace(pair, verdict=PairVerdict.RACE, why=f"Shown on one server. {pair.why}")
    doubt = next((why for one in own if (why := _why_not_the_same(one, realised.get(one.name)))), "")
    if doubt:
        return replace(pair, verdict=PairVerdict.INCONCLUSIVE, why=f"{pair.why} {doubt}")
    why = f"{pair.why} Other pairs showed its causes on one server."
    also = dict.fromkeys(a for one in own for a in one.anomalies if a not in realised[one.name].anomalies)
    if also:
        why = f"{why} They did not show that it breaks this as well: {', '.join(also)}."
    return replace(pair, verdict=PairVerdict.SAME_CAUSE, why=why)


def _why_not_the_same(own: Cause, shown: Cause | None) -> str:
    """Why what other pairs showed is no proof of this pair's own cause of that name; "" where it is one."""
    if shown is None:
        return f"One server was not brought into {own.name}."
    if not own.statements:
        return f"One server was not brought into {own.name} by this pair, and no statements tell the cause."
    if HARMS.index(own.harm) < HARMS.index(shown.harm):
        return f"Other pairs showed {own.name} with a lesser harm only ({shown.harm.value})."
    return ""
