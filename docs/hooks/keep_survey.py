"""A whole survey of a real version in; its data out, into `docs/surveys/`, where the site reads it.

    python docs/hooks/keep_survey.py FOLDER/survey.json ...

`make matrix` calls it. What only the survey's own page draws (the shares along a schedule) is left out.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from mailrace.model.errors import UsageError
from mailrace.report.document import plain
from mailrace.report.survey import survey_from_json

KEPT = Path(__file__).parent.parent / "surveys"


def keep(file: Path) -> Path:
    """The kept file. Raises UsageError for what is no survey, and for one that was ended before its end."""
    survey = survey_from_json(file.read_text(encoding="utf-8"))
    if not survey.is_whole:
        raise UsageError(f"{file}: this survey was ended before its end; only a whole one is kept")
    causes = tuple(replace(one, shares=(), drawn=()) for one in survey.causes)
    document = plain(replace(survey, causes=causes))
    # A pair or a cause a line, so that the next survey of a version shows in a diff what changed.
    lists = {name: document.pop(name) for name in ("pairs", "causes")}
    parts = [
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in document.items()
    ]
    for name, rows in lists.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
    kept = KEPT / f"{survey.target.version}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    return kept


if __name__ == "__main__":
    try:
        for each in sys.argv[1:]:
            print(keep(Path(each)))
    except (OSError, UsageError) as wrong:
        sys.exit(str(wrong))
