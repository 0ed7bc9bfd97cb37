"""The history of a run: what was invoked and completed, in order, on disk as it happens.

`Journal` appends; `read_journal` gives the rounds back, also of a run that was killed.
"""

from harness.history.journal import Journal, JournalHeader, read_journal

__all__ = ["Journal", "JournalHeader", "read_journal"]
