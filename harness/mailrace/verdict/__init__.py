"""Hits, controls and blocks to a verdict: the statistics, the rule for PASS, the table of exit statuses."""

from mailrace.verdict.bound import CONFIDENCE, THETA, pairs_needed, settled, theta_bound
from mailrace.verdict.decision import Decision, decide
from mailrace.verdict.drift import is_overdispersed, overdispersion
from mailrace.verdict.exit_status import EXIT_STATUS, ExitStatus, exit_status, exit_status_of, gravest, merged
from mailrace.verdict.paired import sign_flips
from mailrace.verdict.rates import clopper_pearson, upper_bound
from mailrace.verdict.unseen import unseen_share

__all__ = [
    "BLOCK_ROUNDS",
    "CONFIDENCE",
    "EXIT_STATUS",
    "THETA",
    "Decision",
    "ExitStatus",
    "clopper_pearson",
    "decide",
    "exit_status",
    "exit_status_of",
    "gravest",
    "is_overdispersed",
    "merged",
    "overdispersion",
    "pairs_needed",
    "settled",
    "sign_flips",
    "theta_bound",
    "unseen_share",
    "upper_bound",
]
