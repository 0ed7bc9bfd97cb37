"""A scenario and a target in, every schedule of the unmodified server out, and what each comes to."""

from harness.steer.columns import columns
from harness.steer.replay import ScheduleReplay, replay_schedule
from harness.steer.shared import shared_store
from harness.steer.steering import steer

__all__ = ["ScheduleReplay", "columns", "replay_schedule", "shared_store", "steer"]
