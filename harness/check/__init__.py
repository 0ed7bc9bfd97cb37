"""A round's record to its anomalies: one property a file, and the comparison with the serial outcomes."""

from harness.check.counts import expected_copies
from harness.check.log_lines import KNOWN_LOG_LINES, KnownLine, explain, known_line
from harness.check.round import check_round, not_looked
from harness.check.tags import clean_tag

__all__ = [
    "KNOWN_LOG_LINES",
    "KnownLine",
    "check_round",
    "clean_tag",
    "expected_copies",
    "explain",
    "known_line",
    "not_looked",
]
