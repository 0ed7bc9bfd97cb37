"""A round's record to its anomalies: one property a file, and the comparison with the serial outcomes."""

from harness.check.counts import expected_copies
from harness.check.log_lines import KNOWN_LOG_LINES, KnownLine, explain, known_line
from harness.check.orders import ORDERS_MAX, order_in_words, orders
from harness.check.outcome import SerialOutcome, outcome_of
from harness.check.promises import broken_promises
from harness.check.replies import replies
from harness.check.round import check_round, left_open, not_looked
from harness.check.serial import serial_anomalies
from harness.check.tags import clean_tag
from harness.check.touched import has_edits, touched

__all__ = [
    "KNOWN_LOG_LINES",
    "ORDERS_MAX",
    "KnownLine",
    "SerialOutcome",
    "broken_promises",
    "check_round",
    "clean_tag",
    "expected_copies",
    "explain",
    "has_edits",
    "known_line",
    "left_open",
    "not_looked",
    "order_in_words",
    "orders",
    "outcome_of",
    "replies",
    "serial_anomalies",
    "touched",
]
