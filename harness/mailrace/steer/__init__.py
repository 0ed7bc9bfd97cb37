"""A scenario and a target in, every schedule of the unmodified server out, and what each comes to."""

from mailrace.steer.database_proxy.shared import shared_store, store_for
from mailrace.steer.explore.observer import Observer
from mailrace.steer.replay import ReplayRequest, ScheduleReplay, replay_schedule
from mailrace.steer.result.columns import columns
from mailrace.steer.steering import SteerRequest, steer, why_not_steerable

__all__ = [
    "Observer",
    "ReplayRequest",
    "ScheduleReplay",
    "SteerRequest",
    "columns",
    "replay_schedule",
    "shared_store",
    "steer",
    "store_for",
    "why_not_steerable",
]
