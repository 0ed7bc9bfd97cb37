"""Takes numbers and lists of words; gives the phrases that our sentences make of them."""

from collections.abc import Sequence


def plural(count: int, one: str, many: str = "") -> str:
    """`1 round`, `2 rounds`, `3 classes`; `many` where the plural of `one` is another word."""
    ending = "es" if one.endswith(("s", "ch")) else "s"
    return f"{count:,} {one if count == 1 else many or one + ending}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; "" for none. `last` stands before the last one."""
    return f" {last} ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
