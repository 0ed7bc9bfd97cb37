"""Takes a recorded kind of overlap; gives what surveys of the same server say of it.

A survey distinguishes more relations (such as a tag's last holder) and more forms of an operation than
traffic shows. So an overlap may be any of several pairs of a survey. It is called a race where one of these
races, and a pass only where all of them were surveyed and passed.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mailrace import __version__
from mailrace.history import read_regular, write_whole
from mailrace.model.errors import MailraceError
from mailrace.model.result import Verdict
from mailrace.model.survey import PairVerdict, Survey, SurveyedPair
from mailrace.model.target_name import TargetName, parse_target
from mailrace.report import to_json
from mailrace.report.survey import survey_from_json
from mailrace.studies.survey.relations import pairs as all_pairs
from mailrace.targets import cache_folder

DOCUMENT = "survey.json"
SURVEYED = "surveyed"
"""The folder of the cache, which has a survey for each version of a real Mailpit."""
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
"""Which relations of a survey a recorded one may be, by the beginnings of the survey's words."""
_KINDS = {"read_latest": "view_latest", "retrieve": "pop3_retrieve"}
_RACING = (PairVerdict.RACE, PairVerdict.SAME_CAUSE)
_PASSED = (PairVerdict.PASS, PairVerdict.INDEPENDENT)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a kind of overlap: PASS or RACE, and why."""

    verdict: str
    why: str


def surveyed_pairs(reports: Path, target: TargetName) -> tuple[SurveyedPair, ...]:
    """What is known of that target's pairs, from surveys below a reports folder and from the cache.

    Where several surveys have a pair, the newest one counts. Surveys that another mailrace made are not used,
    and none is for a program on a disk, which may have been built again since.
    """
    if target.kind == "file":
        return ()
    files = [*reports.glob(f"*/{DOCUMENT}"), *reports.glob(f"*/*/{DOCUMENT}"), *_kept(target)]
    found: dict[str, SurveyedPair] = {}
    for file in sorted(files, key=_written, reverse=True):
        try:
            survey = survey_from_json(read_regular(file).decode("utf-8"))
        except (OSError, ValueError, MailraceError):
            continue  # another version of mailrace wrote it, or it was cut off
        if survey.mailrace == __version__ and survey.target.name == target.text:
            for pair in survey.pairs:
                if pair.verdict in (*_RACING, *_PASSED):
                    found.setdefault(pair.name, pair)
    return tuple(found.values())


def keep_survey(survey: Survey) -> None:
    """Keep a survey of a real version for later recordings, if the cache can be written."""
    for file in _kept(parse_target(survey.target.name)):
        with suppress(OSError, ValueError, MailraceError):
            kept = survey_from_json(read_regular(file).decode("utf-8"))
            if kept.mailrace == survey.mailrace and len(kept.pairs) > len(survey.pairs):
                continue  # that one tells more
        with suppress(OSError, MailraceError):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, to_json(survey).encode())


def _kept(target: TargetName) -> tuple[Path, ...]:
    """Where the cache has the survey of a target; empty where its name does not say which version it is."""
    if target.kind != "mailpit" or not target.version:
        return ()
    return (cache_folder().parent / SURVEYED / f"{target.version}.json",)


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def known_of(pairs: Sequence[SurveyedPair], first: str, second: str, relation: str) -> Known | None:
    """What the surveys say of that kind of overlap; None where they do not decide it."""
    kinds = sorted(_KINDS.get(kind, kind) for kind in (first, second))
    words = _RELATIONS.get(relation, ())
    if not words:
        return None
    same = [one for one in pairs if sorted(one.kinds) == kinds and one.relation.startswith(words)]
    racing = [one for one in same if one.verdict in _RACING]
    if racing:
        names = dict.fromkeys(cause.partition("/")[0] for one in racing for cause in one.causes)
        return Known(Verdict.RACE, ", ".join(names) or racing[0].why)
    every = {
        one.name
        for one in all_pairs()
        if not one.setting and sorted((one.a.kind, one.b.kind)) == kinds and one.relation.startswith(words)
    }
    if every and every <= {one.name for one in same if one.verdict in _PASSED}:
        return Known(Verdict.PASS, "every schedule of such a pair passed in the survey")
    return None
