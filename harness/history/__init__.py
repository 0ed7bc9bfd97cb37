"""The history of a run: what was invoked and completed, in order, on disk as it happens.

`Journal` appends; `read_journal` gives the rounds back, also of a run that was killed; `new_folder` and
`write_plan` make the place where a run's files stand.
"""

from harness.history.folder import HISTORY, PLAN, RUN, new_folder, read_plan, write_plan
from harness.history.journal import Journal, JournalHeader, read_journal

__all__ = [
    "HISTORY",
    "PLAN",
    "RUN",
    "Journal",
    "JournalHeader",
    "new_folder",
    "read_journal",
    "read_plan",
    "write_plan",
]
