"""Takes a text with `{run}`, `{round}` and `{sender}`; gives it with their values. Others are refused."""

import re

from mailrace.model.hints import nearest

_BRACES = re.compile(r"\{([^{}]*)\}")

LONGEST = {"run": "mr00000000", "round": "r00000", "sender": "s00"}
"""The templates, with values as long as any: the run's token, the round and the sender."""


def expand(text: str, values: dict[str, str]) -> str:
    """The text with each `{name}` replaced by its value; `text` has passed `fault`."""
    return _BRACES.sub(lambda match: values[match[1]], text)


def fault(text: str, known: tuple[str, ...]) -> str:
    """What is wrong with the templates of a text and what is wanted, or "" where nothing is."""
    for name in _BRACES.findall(text):
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {{{near}}}?" if near else f"give {', '.join(f'{{{k}}}' for k in known)}"
            return f"{{{name}}} is no template here; {hint}"
    if "{" in (rest := _BRACES.sub("", text)) or "}" in rest:
        return f'"{text}" has a brace without its partner; write templates as {{{known[0]}}}'
    return ""
