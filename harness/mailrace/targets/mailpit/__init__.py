"""Real Mailpit programs: found on this machine or installed, and what they say of themselves."""

from mailrace.targets.mailpit.binary import Binary, examine
from mailrace.targets.mailpit.install import install
from mailrace.targets.mailpit.lookup import at_hand, binary_at, find, programs

__all__ = ["Binary", "at_hand", "binary_at", "examine", "find", "install", "programs"]
