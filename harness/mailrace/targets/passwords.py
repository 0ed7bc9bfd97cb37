"""Takes users and passwords; gives the file that a Mailpit reads them from."""

from collections.abc import Mapping
from pathlib import Path

from mailrace.model.errors import TargetError


def password_file(who: str, file: Path, users: Mapping[str, str]) -> Path:
    """Write it: words apart by white space, `{` and `$` begin a hash. Raises TargetError."""
    for user, word in users.items():
        if not user or not word or ":" in user or word[0] in "{$" or len(f"{user}:{word}".split()) != 1:
            raise TargetError(
                f"{who}: smtp_auth of {user!r}: Mailpit takes no white space, no ':' in a user, "
                "and no '{' or '$' at the start of a password"
            )
    file.touch(mode=0o600)
    file.write_text("".join(f"{user}:{word}\n" for user, word in users.items()))
    return file
