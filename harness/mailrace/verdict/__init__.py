"""From hits, controls and blocks to a verdict: the statistics, the rule for PASS, the exit statuses."""

from mailrace.verdict.bound import is_settled, rule_pairs, theta_bound
from mailrace.verdict.decision import (
    Decision,
    Evidence,
    decide,
    doubt_of,
    evidence_of,
    promised_nothing,
    whole_of,
)
from mailrace.verdict.drift import is_overdispersed
from mailrace.verdict.exit_status import EXIT_STATUS, ExitStatus, exit_status, exit_status_of, gravest
from mailrace.verdict.rates import clopper_pearson, upper_bound
from mailrace.verdict.walked import why_unfinished

__all__ = [
    "EXIT_STATUS",
    "Decision",
    "Evidence",
    "ExitStatus",
    "clopper_pearson",
    "decide",
    "doubt_of",
    "evidence_of",
    "exit_status",
    "exit_status_of",
    "gravest",
    "is_overdispersed",
    "promised_nothing",
    "rule_pairs",
    "is_settled",
    "theta_bound",
    "upper_bound",
    "whole_of",
    "why_unfinished",
]
