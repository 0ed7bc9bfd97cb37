"""A recorded kind of overlap in, what the newest whole survey of that very server says of it out.

A survey tells more relations apart than traffic shows, such as a tag's last holder. So a race is told where
one of the relations that the traffic may have been has it, and a pass only where all of them passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailrace.model.errors import MailraceError
from mailrace.model.result import Verdict
from mailrace.model.survey import PairVerdict, SurveyedPair
from mailrace.report.survey import survey_from_json

DOCUMENT = "survey.json"
_RELATIONS = {
    "the same message": ("the same message",),
    "the same tag": (
        "the same new tag",
        "the same known tag",
        "the tag's last holder",
        "one of the tag's holders",
    ),
    "everything": ("everything",),
    "other messages": ("nothing in common",),
}
"""What a recorded relation may have been, by the beginning of a survey's word for it."""
_KINDS = {"read_latest": "view_latest", "retrieve": "pop3_retrieve"}
_RACING = (PairVerdict.RACE, PairVerdict.SAME_CAUSE)
_PASSED = (PairVerdict.PASS, PairVerdict.INDEPENDENT)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a kind of overlap: PASS, or RACE with what it came to."""

    verdict: str
    why: str


def surveyed_pairs(reports: Path, target: str) -> tuple[SurveyedPair, ...]:
    """The pairs of the newest whole survey of that target below a reports folder; () if there is none."""
    files = sorted(reports.glob(f"*/{DOCUMENT}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files:
        try:
            survey = survey_from_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, MailraceError):
            continue  # another version of mailrace wrote it, or it was cut off
        if survey.is_whole and survey.target.name == target:
            return survey.pairs
    return ()


def known_of(pairs: Sequence[SurveyedPair], first: str, second: str, relation: str) -> Known | None:
    """What the survey decided of that kind of overlap; None where it does not tell."""
    kinds = sorted(_KINDS.get(kind, kind) for kind in (first, second))
    words = _RELATIONS.get(relation, ())
    same = [one for one in pairs if sorted(one.kinds) == kinds and one.relation.startswith(words)]
    racing = [one for one in same if one.verdict in _RACING]
    if racing and words:
        names = dict.fromkeys(cause.partition("/")[0] for one in racing for cause in one.causes)
        return Known(Verdict.RACE, ", ".join(names) or racing[0].why)
    if same and words and all(one.verdict in _PASSED for one in same):
        return Known(Verdict.PASS, "every schedule of such a pair passed in the survey")
    return None
