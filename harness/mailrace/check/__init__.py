"""Takes a round's record; gives its anomalies. A file for each property, and one for the serial orders."""

from mailrace.check.apart import Break, apart, break_of, needs_race, serial_breaks
from mailrace.check.counts import expected_copies
from mailrace.check.log_lines import KnownLine, explain, known_line
from mailrace.check.older_changed import differences
from mailrace.check.orders import order_in_words, orders
from mailrace.check.outcome import SerialOutcome, outcome_of
from mailrace.check.promises import broken_serially
from mailrace.check.replies import replies, unanswered
from mailrace.check.round import check_round, left_open, not_looked
from mailrace.check.search_wrong import words_of
from mailrace.check.serial import is_about_replies_only
from mailrace.check.source import compare_source
from mailrace.check.tags import clean_tag, tag_key
from mailrace.check.touched import markable, may_touch, tags_it_may_hold, touched

__all__ = [
    "Break",
    "KnownLine",
    "SerialOutcome",
    "apart",
    "break_of",
    "broken_serially",
    "check_round",
    "clean_tag",
    "compare_source",
    "differences",
    "expected_copies",
    "explain",
    "is_about_replies_only",
    "known_line",
    "left_open",
    "markable",
    "may_touch",
    "needs_race",
    "not_looked",
    "order_in_words",
    "orders",
    "outcome_of",
    "replies",
    "serial_breaks",
    "tag_key",
    "tags_it_may_hold",
    "touched",
    "unanswered",
    "words_of",
]
