"""A scenario and a target in, every schedule of the unmodified server out, and what each comes to."""

from mailrace.steer.database_proxy.shared import store_for
from mailrace.steer.explore.observer import Observer
from mailrace.steer.replay import ReplayRequest, replay_schedule
from mailrace.steer.result.columns import columns
from mailrace.steer.steering import EXPLORE_S_MAX, SteerRequest, steer, why_not_steerable

__all__ = [
    "EXPLORE_S_MAX",
    "Observer",
    "ReplayRequest",
    "SteerRequest",
    "columns",
    "replay_schedule",
    "steer",
    "store_for",
    "why_not_steerable",
]
