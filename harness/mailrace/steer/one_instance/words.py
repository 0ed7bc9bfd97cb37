"""Takes counts, and what became of violating classes; gives sentences for a report."""

from collections.abc import Sequence

from mailrace.model.phrases import plural
from mailrace.model.result import Violation

SAID_MAX = 12
"""So many violations are said in words; all of them stand in the document."""


def violations_in_words(violations: Sequence[Violation]) -> list[str]:
    """What became of each violating class, a sentence each; one for those that are alike."""
    alike: dict[str, int] = {}
    for one in violations:
        if one.fate != "left_out":
            alike[_in_words(one)] = alike.get(_in_words(one), 0) + one.classes
    said = [f"{words} ({plural(number, 'class')})" for words, number in alike.items()]
    more = len(said) - SAID_MAX
    return said[:SAID_MAX] + ([f"{more} more violating classes stand in run.json"] if more > 0 else [])


def _in_words(one: Violation) -> str:
    names = ", ".join(one.anomalies)
    if one.fate == "split_only":
        return f"split_only: {names}: {one.why}"
    tries = plural(one.tries, "try", "tries")
    where = f"{names} by {one.schedule} ({plural(one.deviations, 'preemption')})"
    if one.fate == "unrealised" and not one.schedule:
        return f"not realised: {names}: {one.why}"
    if one.fate == "unrealised":
        chance = f"chance {one.chance:.2%} a try, {one.seconds:.0f} s"
        return f"not realised in {tries}: {where}, {chance}: {one.why}"
    again = f"again {one.again} of {one.repeats} times in {one.again_tries:,} tries"
    return f"realised in {tries}, {again}: {where}"
