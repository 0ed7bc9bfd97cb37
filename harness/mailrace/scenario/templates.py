"""A text with `{run}`, `{round}` and `{sender}` in, the text with their values out; others are refused."""

import re

from mailrace.model.hints import nearest

TEMPLATES = ("run", "round", "sender")
"""run: the run's token (`mrk3f9x2ab`); round: `r00041`; sender: `s02`. All of fixed length."""

_BRACES = re.compile(r"\{([^{}]*)\}")

LONGEST = {"run": "mr00000000", "round": "r00000", "sender": "s00"}
"""Values as long as any: what a text can grow to."""


def expand(text: str, values: dict[str, str]) -> str:
    """The text with each `{name}` replaced by its value; `text` has passed `fault`."""
    return _BRACES.sub(lambda match: values[match[1]], text)


def fault(text: str, known: tuple[str, ...] = TEMPLATES) -> str:
    """What is wrong with the templates of a text and what is wanted, or "" where nothing is."""
    for name in _BRACES.findall(text):
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {{{near}}}?" if near else f"give {', '.join(f'{{{k}}}' for k in known)}"
            return f"{{{name}}} is no template here; {hint}"
    if "{" in (rest := _BRACES.sub("", text)) or "}" in rest:
        return f'"{text}" has a brace without its partner; write templates as {{{known[0]}}}'
    return ""
