"""A bisection in, the file from which it goes on after an interruption out; and back."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mailrace.history.writing import write_whole
from mailrace.model.errors import UsageError
from mailrace.studies.bisect import Answer, Probed, Search

FORMAT = 1


def save(path: Path, search: Search, question: dict[str, Any]) -> None:
    """Write what is known so far, whole or not at all. `question`: what was asked beside the versions."""
    document = {
        "format": FORMAT,
        "question": question,
        "versions": list(search.versions),
        "good": search.good,
        "bad": search.bad,
        "answers": {version: asdict(probed) for version, probed in search.answers.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def resumed(path: Path, search: Search, question: dict[str, Any]) -> Search:
    """The search with the answers of the file, if there is one; unknown ones are asked again.

    Raises UsageError where the file is of another question, or no such file at all.
    """
    if not path.is_file():
        return search
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        same = (held["format"], held["question"], tuple(held["versions"]), held["good"], held["bad"])
        answers = {
            str(version): Probed(**{**value, "answer": Answer(value["answer"])})
            for version, value in held["answers"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise UsageError(f"--state {path}: holds no bisection ({wrong!r}); name another file") from wrong
    if same != (FORMAT, question, search.versions, search.good, search.bad):
        raise UsageError(
            f"--state {path}: is of another question (another scenario, mode or range of versions); "
            "name another file, or remove it to begin anew"
        )
    known = {version: probed for version, probed in answers.items() if probed.answer is not Answer.UNKNOWN}
    return replace(search, answers=known)
