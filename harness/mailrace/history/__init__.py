"""The history of a run: what was invoked and completed, in order, on disk as it happens.

`Journal` appends; `read_histories` gives it back, also of a run that was killed.
`new_folder`, `write_plan`, `InUse`, `make_latest` and `prune` look after the folder of a run's files, and
`contents` tells what is in any folder.
"""

from mailrace.history.contents import Contents, contents, record_folder, stands_in
from mailrace.history.folder import (
    HISTORY,
    RECORD,
    RECORD_DOCUMENT,
    RUN,
    InUse,
    make_latest,
    new_folder,
    prune,
    remove_bare,
)
from mailrace.history.journal import Journal, JournalHeader, JudgedRound, Realisation, ScheduleRun
from mailrace.history.plan import RecordedPlan, RecordedScenario, mail_of, plan_text, read_plan, write_plan
from mailrace.history.reading import ScenarioHistory, read_histories, read_study
from mailrace.history.regular import open_regular, read_lines, read_regular
from mailrace.history.writing import make_folder, require_file, write_whole, writing

__all__ = [
    "HISTORY",
    "RECORD",
    "RECORD_DOCUMENT",
    "RUN",
    "Contents",
    "InUse",
    "Journal",
    "JournalHeader",
    "JudgedRound",
    "Realisation",
    "RecordedPlan",
    "RecordedScenario",
    "ScenarioHistory",
    "ScheduleRun",
    "contents",
    "read_lines",
    "mail_of",
    "make_folder",
    "make_latest",
    "new_folder",
    "open_regular",
    "plan_text",
    "prune",
    "read_histories",
    "read_plan",
    "read_regular",
    "read_study",
    "record_folder",
    "remove_bare",
    "require_file",
    "stands_in",
    "write_plan",
    "write_whole",
    "writing",
]
