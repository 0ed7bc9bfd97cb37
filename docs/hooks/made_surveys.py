"""The kept surveys in; out come a page of each, whole as `mailrace survey` writes it, and their comparison.

`docs/surveys/*.json` are data of real runs (`make matrix`), each with its day, machine and command.
"""

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

from mailrace.model.consequences import HARMS
from mailrace.model.phrases import plural
from mailrace.model.survey import Survey, SurveyedCause
from mailrace.report.survey import survey_from_json, survey_page
from mailrace.studies.survey.compare import compare

KEPT = Path(__file__).parent.parent / "surveys"


@cache
def kept() -> dict[str, Survey]:
    """Version to its survey, the oldest version first."""
    read = [survey_from_json(file.read_text(encoding="utf-8")) for file in KEPT.glob("*.json")]
    read.sort(key=lambda one: tuple(int(part) for part in one.target.version.split(".")))
    return {one.target.version: one for one in read}


def survey_pages() -> dict[str, str]:
    """Where a survey's own page stands on the site, to its HTML."""
    return {f"surveys/{version}.html": survey_page(survey) for version, survey in kept().items()}


def surveys() -> str:
    """What was surveyed, what changed between versions, and each cause with the versions that have it."""
    if not kept():
        return "No survey is kept; `make matrix` makes them."
    return "\n\n".join((_runs(), *_changes(), _causes()))


def _runs() -> str:
    rows = [
        "| version | root causes shown | pairs | conflicts in both orders | made |",
        "|---|---|---|---|---|",
    ]
    for version, one in kept().items():
        verdicts = Counter(pair.verdict.value for pair in one.pairs)
        rows.append(
            f"| [{version}](surveys/{version}.html) | {_by_harm(_shown(one))} "
            f"| {len(one.pairs)}: {', '.join(f'{n} {word}' for word, n in verdicts.most_common())} "
            f"| {one.coverage.exercised:,} of {one.coverage.predicted:,} | {_made(one)} |"
        )
    return "\n".join(rows)


def _made(survey: Survey) -> str:
    """The day, the machine and the command."""
    machine = survey.environment
    on = f", {machine['cpus']} processors ({machine['machine']}, load {machine['load']})" if machine else ""
    return f"{survey.started[:10]}, {survey.seconds.get('whole', 0):.0f} s{on}, `{survey.command}`"


def _changes() -> list[str]:
    """From each version to the next, by cause; a cause that one of the two left open is said to be open."""
    said = []
    for (older, before), (newer, after) in pairwise(kept().items()):
        found = compare(before, after)
        lines = [
            f"**From {older} to {newer}**: {len(found.brought)} new, {len(found.mended)} mended, "
            f"{len(found.kept)} in both, {len(found.open)} open in one of the two."
        ]
        lines += [f"- new, {one.harm.value}: `{one.name}`" for one in found.brought]
        lines += [f"- mended, {one.harm.value}: `{one.name}`" for one in found.mended]
        said.append("\n".join((lines[0], "", *lines[1:])))
    return said


def _causes() -> str:
    """Every cause that was shown, the worst harm first, with the versions that showed it."""
    where: dict[str, list[str]] = {}
    first: dict[str, SurveyedCause] = {}
    for version, survey in kept().items():
        for cause in _shown(survey):
            where.setdefault(cause.name, []).append(version)
            first.setdefault(cause.name, cause)
    rows = ["| harm | root cause | shown on | easiest by |", "|---|---|---|---|"]
    for name in sorted(first, key=lambda one: (HARMS.index(first[one].harm), one)):
        cause = first[name]
        rows.append(f"| {cause.harm.value} | `{name}` | {', '.join(where[name])} | {cause.shown_by} |")
    return "\n".join(rows)


def _shown(survey: Survey) -> list[SurveyedCause]:
    return [one for one in survey.causes if one.fate == "realised"]


def _by_harm(causes: list[SurveyedCause]) -> str:
    counts = Counter(cause.harm for cause in causes)
    told = ", ".join(f"{counts[harm]} {harm.value}" for harm in HARMS if counts[harm])
    return f"{plural(len(causes), 'cause')}: {told}"
