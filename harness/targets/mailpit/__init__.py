"""Real Mailpit programs: found on this machine or installed, and what they say of themselves."""

from harness.targets.mailpit.binary import Binary, examine
from harness.targets.mailpit.install import install
from harness.targets.mailpit.lookup import at_hand, binary_at, find

__all__ = ["Binary", "at_hand", "binary_at", "examine", "find", "install"]
