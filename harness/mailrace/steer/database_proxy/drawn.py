"""Takes two runs of the same; gives what a server draws anew in each: IDs, sequence numbers, instants.

A statement that holds such a value differs from run to run though its actor was told the same. Only a value
that is fresh is taken for drawn: one that no other run has anywhere. What a server picks among a few, such as
the order in which it walks a map, comes again, and so is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mailrace.steer.database_proxy.rqlite import Call, Value

MASK = "<drawn>"
DIGITS_MIN = 4
"""A shorter value in an answer is no drawn one: a count may equal it."""

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_NAMED = re.compile(r"<[^<>~]+~\d+>")


class Pattern(NamedTuple):
    """A statement's text in tokens, None for each that is drawn; and of each argument whether it is."""

    tokens: tuple[str | None, ...]
    arguments: tuple[bool, ...]

    def fits(self, tokens: Sequence[str], arguments: Sequence[Value]) -> bool:
        """Whether a statement is of this kind."""
        return (
            len(tokens) == len(self.tokens)
            and len(arguments) == len(self.arguments)
            and all(fixed in (None, token) for fixed, token in zip(self.tokens, tokens, strict=True))
        )


def tokens_of(text: str) -> list[str]:
    """The words, the blanks and the signs of a text."""
    return _TOKEN.findall(text)


def masked(call: str) -> str:
    """A statement as it is compared while nobody knows whose its drawn values are."""
    return _NAMED.sub(MASK, call) if "~" in call else call


@dataclass(slots=True)
class Drawn:
    """What is drawn, as far as it was seen; and what all runs together drew.

    patterns   of statements that hold a drawn value
    literals   by name the value that was drawn under it first, by which it is known to the graph of states
    stale      a statement whose drawn value a run before had, so that it may be picked among a few; else ""
    """

    patterns: list[Pattern] = field(default_factory=list)
    literals: dict[str, Value] = field(default_factory=dict)
    stale: str = ""
    _owner: dict[Value, object] = field(default_factory=dict)

    def compare(self, one: Sequence[Call], other: Sequence[Call]) -> None:
        """Learn from one actor's statements in two runs in which it was told the same."""
        mine, its = _values_of(one), _values_of(other)
        for (text, arguments), (text2, arguments2) in zip(one, other, strict=False):
            tokens, tokens2 = tokens_of(text), tokens_of(text2)
            if len(tokens) != len(tokens2) or len(arguments) != len(arguments2):
                return  # from here on these are other statements
            pairs = [*zip(tokens, tokens2, strict=True), *zip(arguments, arguments2, strict=True)]
            differing = [(a, b) for a, b in pairs if a != b]
            if differing and all(a not in its and b not in mine for a, b in differing):
                pattern = Pattern(
                    tuple(a if a == b else None for a, b in zip(tokens, tokens2, strict=True)),
                    tuple(a != b for a, b in zip(arguments, arguments2, strict=True)),
                )
                if pattern not in self.patterns:
                    self.patterns.append(pattern)

    def pattern_of(self, tokens: Sequence[str], arguments: Sequence[Value]) -> Pattern | None:
        """That of a statement with drawn values; None: it has none."""
        return next((p for p in self.patterns if p.fits(tokens, arguments)), None)

    def note(self, value: Value, run: object, text: str) -> None:
        """A run has drawn that value."""
        if self._owner.setdefault(value, run) is not run:
            self.stale = self.stale or text


def _values_of(calls: Sequence[Call]) -> set[Value]:
    return {value for text, arguments in calls for value in (*tokens_of(text), *arguments)}
