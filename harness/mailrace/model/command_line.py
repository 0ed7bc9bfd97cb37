"""Takes a command that somebody's document offers to copy; gives it back where it can be one of ours."""

import re
from typing import Annotated

from pydantic import AfterValidator

NOT_OURS = "# not shown: it is no command of mailrace"
"""Stands where a document has another command: whoever copies it into a shell runs nothing."""

_WORD = r"""(?:[\w@%+=:,./~\[\]{}-]|'[^']*'|"'")+"""
_ONE = rf"(?:mailrace|pytest)(?: {_WORD})*"
_OURS = re.compile(rf"{_ONE}(?: \| {_ONE})*")
"""Words as `shlex.join` writes them, which a shell takes for nothing else; a merge joins several by ` | `."""


def own_command(text: str) -> str:
    """The text where it is "" or a command line of mailrace or pytest, else `NOT_OURS`."""
    return text if not text or (text.replace("\n", "").isprintable() and _OURS.fullmatch(text)) else NOT_OURS


OwnCommand = Annotated[str, AfterValidator(own_command)]
"""The type of a field that is read from anybody's document and shown as a command to copy."""
