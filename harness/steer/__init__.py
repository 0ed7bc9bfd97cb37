"""A scenario and a target in, every schedule of the unmodified server out, and what each comes to."""

from harness.steer.columns import columns
from harness.steer.shared import shared_store
from harness.steer.steering import steer

__all__ = ["columns", "shared_store", "steer"]
