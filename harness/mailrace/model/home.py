"""Takes nothing; gives the user's home folder, where there is one."""

from pathlib import Path


def home() -> Path | None:
    """The user's home folder; None where nothing names one, as in a container whose user is a mere number."""
    try:
        return Path.home()
    except RuntimeError:
        return None
