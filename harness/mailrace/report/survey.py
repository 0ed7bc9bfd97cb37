"""Takes a survey; gives its text, its lines for a terminal and its page; and reads the text back."""

from collections.abc import Iterator

from mailrace.model.consequences import consequence
from mailrace.model.phrases import plural
from mailrace.model.survey import (
    SURVEY_SCHEMA_VERSION,
    PairVerdict,
    Survey,
    SurveyedCause,
    ThreeActors,
    TripleVerdict,
)
from mailrace.report.causes import repairs_words
from mailrace.report.document import document_in
from mailrace.report.page import whole_page


def survey_from_json(text: str) -> Survey:
    """The survey that `to_json` wrote. Raises UsageError with a sentence where it is none."""
    return document_in(text, Survey, SURVEY_SCHEMA_VERSION, "survey.json", "survey")


def headline(survey: Survey) -> str:
    """The result in a sentence, the causes that were shown first."""
    shown = [one for one in survey.causes if one.fate == "realised"]
    pairs = plural(len(survey.pairs), "pair")
    open_ = sum(one.verdict is PairVerdict.INCONCLUSIVE for one in survey.pairs)
    left = f"; {plural(open_, 'pair')} not decided" if open_ else ""
    if not shown:
        return f"No root cause of a race was shown in {pairs} of operations{left}"
    harms = ", ".join(f"{n} {harm}" for harm, n in _by_harm(shown).items())
    return f"{plural(len(shown), 'root cause')} of races shown in {pairs} of operations ({harms}){left}"


def _by_harm(causes: list[SurveyedCause]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in causes:
        counts[one.harm.value] = counts.get(one.harm.value, 0) + 1
    return counts


def lines_of(survey: Survey) -> Iterator[str]:
    """What a terminal is told, a line each: the causes, the worst first, and what is open."""
    yield f"{headline(survey)}."
    for one in survey.causes:
        yield from _cause_lines(one, "pair")
    for pair in survey.pairs:
        if pair.verdict is PairVerdict.INCONCLUSIVE:
            yield f"not decided: {pair.name}: {pair.why}"
    if survey.three is not None:
        yield from _three_lines(survey.three)
    found = survey.coverage
    yield (
        f"Conflicts between statements: {found.exercised:,} of {found.predicted:,} run in both orders, "
        f"{len(found.unreachable):,} come in one order only."
    )


def _cause_lines(one: SurveyedCause, what: str) -> Iterator[str]:
    yield f"{one.harm.value}: {one.name} ({one.fate}), {plural(len(one.pairs), what)}"
    yield from (f"    {sentence}" for sentence in one.why)
    yield from (f"    {sentence}." for sentence in repairs_words(one)[:1])
    yield f"    shown by {one.shown_by}{f': {one.scenario}' if one.scenario else ''}"


def three_headline(three: ThreeActors) -> str:
    """What three operations at a time came to, in a sentence that says what was looked at and how."""
    counts = {verdict: sum(one.verdict is verdict for one in three.triples) for verdict in TripleVerdict}
    each = ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items() if number)
    found = plural(len(three.causes), "cause") if three.causes else "no cause"
    left = f"; {three.left:,} more not looked at" if three.left else ""
    return (
        f"Three actors at a time: {found} that no pair shows in {plural(len(three.triples), 'triple')} of "
        f"operations ({each or 'none looked at'}){left}"
    )


def _three_lines(three: ThreeActors) -> Iterator[str]:
    yield f"{three_headline(three)}."
    for one in three.causes:
        yield from _cause_lines(one, "triple")
    for triple in three.triples:
        if triple.verdict is TripleVerdict.INCONCLUSIVE:
            yield f"not decided: {triple.name}: {triple.why}"


def survey_page(survey: Survey) -> str:
    """The page: a heat map of all pairs of operations, each cause with its repair, and what is left out."""
    operations = list(dict.fromkeys(name for pair in survey.pairs for name in (pair.a, pair.b)))
    cells: dict[tuple[str, str], list[str]] = {}
    for pair in survey.pairs:
        said = pair.harm or pair.verdict.value
        cells.setdefault((pair.a, pair.b), []).append(said)
        cells.setdefault((pair.b, pair.a), []).append(said)
    return whole_page(
        "survey.html.j2",
        survey=survey,
        headline=headline(survey),
        three_headline=three_headline(survey.three) if survey.three else "",
        operations=operations,
        cells={key: _worst(said) for key, said in cells.items()},
        repairs={one.name: repairs_words(one) for one in _every(survey)},
        meanings={one.name: consequence(one.anomalies[0]).meaning for one in _every(survey)},
    )


def _every(survey: Survey) -> list[SurveyedCause]:
    return [*survey.causes, *(survey.three.causes if survey.three else ())]


_RANK = ("hang or crash", "data", "promise", "reply", "INCONCLUSIVE", "PASS", "INDEPENDENT", "NOT APPLICABLE")


def _worst(said: list[str]) -> str:
    return min(said, key=lambda one: _RANK.index(one) if one in _RANK else len(_RANK))
