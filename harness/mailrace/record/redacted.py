"""Takes a command line; gives it without what may be a secret, for record.jsonl and the page."""

import os
import re
import shlex
from collections.abc import Sequence

from mailrace.model.secrets import SHOWN, without_secrets

VALUE_LENGTH_MIN = 4
_SECRET_NAME = re.compile(r"pass|secret|token|key|auth|cred|cookie|session|login|user", re.IGNORECASE)
_LOGIN_IN_URL = re.compile(r"(?<=//)[^/\s@]+@")


def shown_command(command: Sequence[str]) -> str:
    """The command as it is kept.

    It replaces logins in URLs, the values of options and variables whose name tells of a secret, and the
    content of environment variables with such a name wherever it stands.
    """
    known = [
        value
        for name, value in os.environ.items()
        if _SECRET_NAME.search(name) and len(value) >= VALUE_LENGTH_MIN and "/" not in value[:1]
    ]
    # An option and its value may stand in one word or in two, so a word is judged by the one before it, too.
    shown: list[str] = []
    is_value_of_secret = False
    for word in command:
        name, equals, _ = word.partition("=")
        is_secret = bool(_SECRET_NAME.search(name)) and (equals or word.startswith("-"))
        if is_value_of_secret and not word.startswith("-"):
            word = SHOWN
        elif is_secret and equals:
            word = f"{name}={SHOWN}"
        is_value_of_secret = is_secret and not equals
        word = _LOGIN_IN_URL.sub(f"{SHOWN}@", without_secrets(word))
        for value in known:
            word = word.replace(value, SHOWN)
        shown.append(word)
    return shlex.join(shown)
