"""The history of a run: what was invoked and completed, in order, on disk as it happens.

`Journal` appends; `read_journal` gives the rounds back, also of a run that was killed; `new_folder`,
`write_plan` and `make_latest` make the place where a run's files stand.
"""

from mailrace.history.folder import HISTORY, RUN, make_latest, new_folder
from mailrace.history.journal import Journal, JournalHeader, read_journal
from mailrace.history.plan import PLAN, RecordedPlan, RecordedScenario, mail_of, read_plan, write_plan

__all__ = [
    "HISTORY",
    "PLAN",
    "RUN",
    "Journal",
    "JournalHeader",
    "RecordedPlan",
    "RecordedScenario",
    "mail_of",
    "make_latest",
    "new_folder",
    "read_journal",
    "read_plan",
    "write_plan",
]
