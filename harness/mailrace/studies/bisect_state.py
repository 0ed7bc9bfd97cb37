"""Takes a bisection; runs it to its end and writes each step down, and reads back what was written."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from mailrace import __version__
from mailrace.history import (
    HISTORY,
    make_folder,
    make_latest,
    read_regular,
    read_study,
    require_file,
    write_whole,
)
from mailrace.model.codec import codec, why_unreadable
from mailrace.model.errors import UsageError
from mailrace.model.time_limit import OUT_OF_TIME
from mailrace.scenario import Scenario
from mailrace.session import Session
from mailrace.studies.bisect import Answer, Probed, Search, bisect, told
from mailrace.studies.probing import probe
from mailrace.targets import parse_target
from mailrace.targets.mailpit import programs

FORMAT = 1
BISECT = "bisect.json"


def run_bisect(
    scenario: Scenario,
    search: Search,
    whole: Session,
    state: Path,
    *,
    anomaly: str | None,
    trials: int,
    tell: Callable[[str], None],
) -> Search:
    """Search to the end. Each probe has a folder of its own, and `state` holds at any time what is known.

    Raises UsageError where the state file is of another question.
    """
    # An answer holds for what gave it: this mailrace, these programs, and a rule that all versions share.
    question = {
        "scenario": scenario.as_data(),
        "digest": scenario.digest,
        "mode": whole.request.mode,
        "anomaly": anomaly,
        "rule": asdict(whole.request.racing.rule),
        "gomaxprocs": whole.request.server.gomaxprocs,
        "programs": programs(parse_target(version) for version in search.versions),
        "mailrace": __version__,
    }
    search = resumed(state, search, question)
    for version, known in search.answers.items():
        tell(f"{version}: {known.answer}, known from {state}")

    def keep(found: Search) -> None:
        save(state, found, question)
        # The same document in the study's own folder, line by line, is what `mailrace report` reads.
        whole.journal.study("search", document(found, question))

    def ask(version: str) -> Probed:
        if whole.left_s == 0.0:
            return Probed(answer=Answer.UNKNOWN, reason=f"{OUT_OF_TIME}.")
        asked = whole.part("", whole.request.output.formats)
        probed = probe(
            scenario, parse_target(version), asked, anomaly=anomaly, trials=trials, listener=whole.listener
        )
        tell(f"{version}: {probed.answer}")
        return probed

    # What is known is written before the first probe and after each one, so the search can be ended at any
    # moment.
    keep(search)
    search = bisect(search, ask, keep)
    save(whole.folder / BISECT, search, question)
    if search.answers:
        make_latest(whole.folder)
    return search


def search_of(folder: Path) -> Search | None:
    """How far the search in that folder came, even if it was cut off; None: it had not begun."""
    last = None
    for found in read_study(folder / HISTORY, "search", Search):
        last = found
    return last


def document(search: Search, question: Mapping[str, object]) -> dict[str, object]:
    """What is known so far, as plain data. `question`: what was asked beside the versions."""
    return {
        "format": FORMAT,
        "question": question,
        "versions": list(search.versions),
        "good": search.good,
        "bad": search.bad,
        "answers": {version: asdict(probed) for version, probed in search.answers.items()},
        "told": list(told(search)),
    }


def save(path: Path, search: Search, question: Mapping[str, object]) -> None:
    """Write what is known so far, whole or not at all."""
    text = json.dumps(document(search, question), indent=1, ensure_ascii=False) + "\n"
    write_whole(path, text.encode("utf-8", "backslashreplace"))


def resumed(path: Path, search: Search, question: Mapping[str, object]) -> Search:
    """The search with the answers of the file, if there is one. Versions without an answer are asked again.

    Raises UsageError where the file holds another question, or no bisection at all.
    """
    make_folder("--state", path.parent)
    if not os.path.lexists(path):
        require_file("--state", path)
        return search
    try:
        held = json.loads(read_regular(Path(os.path.realpath(path))))
        kept = codec(Search).validate_python(held)
        theirs = held["question"]
        same = (held["format"], theirs, kept.versions, kept.good, kept.bad)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as wrong:
        why = f"holds no bisection ({why_unreadable(wrong)})"
        raise UsageError(f"--state {path}: {why}; name another file") from wrong
    if same != (FORMAT, question, search.versions, search.good, search.bad):
        raise UsageError(
            f"--state {path}: is of another question ({_difference(theirs, question)}); "
            "name another file, or remove it to begin anew"
        )
    known = {version: one for version, one in kept.answers.items() if one.answer is not Answer.UNKNOWN}
    return replace(search, answers=known)


def _difference(theirs: object, ours: Mapping[str, object]) -> str:
    """What is another one in the file, in a few words."""
    names = [name for name in ours if not isinstance(theirs, dict) or theirs.get(name) != ours[name]]
    words = {"digest": "scenario", "rule": "confidence or number of trials", "programs": "program at a path"}
    found = dict.fromkeys(words.get(name, name) for name in names)
    return f"another {', another '.join([*found, 'range of versions'][: len(found) or 1])}"
