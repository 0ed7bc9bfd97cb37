"""What a person may choose: words and ranges, for options, settings, scenario files and plans alike.

Nothing slow is imported here, since `--help` of every command needs this module.
"""

from typing import Literal

Mode = Literal["race", "steer"]
ModeAsked = Literal["auto", "race", "steer"]
"""auto: steered where the servers are ours to start, else raced."""
Study = Literal["run", "gate", "matrix", "bisect", "retries", "merge"]
"""What made a folder: one run, or a question that takes many."""
Profile = Literal["rate", "throughput"]
Until = Literal["rounds", "decided", "hit"]
Trial = Literal["warm", "cold"]
HarmAsked = Literal["stop", "data", "promise", "reply"]
"""The least harm that counts: a name of `consequences.Harm`, in lower case."""
OneOfEach = Literal["anomaly", "cause", "class"]

ROUNDS_MAX = 50_000
CONFIDENCE_MIN, CONFIDENCE_MAX = 0.5, 0.999999
THETA_MIN, THETA_MAX = 0.01, 100.0
GOMAXPROCS_MAX = 1024
BUDGET_MAX = 1_000_000
BOUND_MAX = 100
DEPTH_MAX = 10
