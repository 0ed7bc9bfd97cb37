"""Takes root causes; gives sentences on each: what breaks, why, and what would mend it."""

from collections.abc import Iterable, Mapping, Sequence

from mailrace.model.cause import Cause, Fate, KeptTogether, Repair
from mailrace.model.consequences import HARMS
from mailrace.model.phrases import listed, plural
from mailrace.report.words import legible, shortened

CAUSES_MAX = 8
"""A conclusion tells so many causes; run.json has all of them."""
REPAIR_LENGTH_MAX = 1000
"""The longest repair in a conclusion, in characters: enough for two runs of statements, and what is left."""
_FATES: Mapping[Fate, str] = {
    "realised": "shown on one server",
    "unrealised": "not shown on one server, so no race by itself",
    "left_out": "not tried by itself, because what it breaks was shown already",
    "two servers": "shown on two servers with one store",
    "three servers": "shown on three servers with one store",
}


def kept_words(kept: KeptTogether) -> str:
    """``send's 4 statements from `INSERT …` to `SELECT …` ``, statements by their beginnings."""
    first, last = (shortened(text, 60) for text in (kept.first, kept.last))
    return f"{kept.operation}'s {plural(kept.steps, 'statement')} from `{first}` to `{last}`"


def repair_words(repair: Repair, schedules: int, bad: int) -> str:
    """A repair in a sentence: which statements to keep together, and how many bad schedules are left then."""
    runs = " and ".join(map(kept_words, repair.kept))
    together = "each kept together" if len(repair.kept) > 1 else "kept together"
    by_graph = "; that was counted in the graph of its schedules, and they were not run"
    tried = {None: by_graph, "": "; they were run again that way, and none was bad"}.get(
        repair.verified, f" ({repair.verified})"
    )
    today = f" (today {bad:,} of {schedules:,})" if schedules else ""
    left = f"{repair.bad:,} of {repair.schedules:,} schedules would be bad"
    return f"If {runs} were {together}, {left}{today}{tried}"


def repairs_words(cause: Cause) -> list[str]:
    """Each of the smallest repairs in a sentence, and what does not help."""
    said = [repair_words(one, cause.schedules, cause.bad) for one in cause.repair]
    for one in cause.no_help:
        kinds = " and ".join(kept.operation for kept in one.kept)
        said.append(
            f"Keeping only all of {kinds} together does not help: "
            f"{one.bad:,} of {one.schedules:,} schedules would still be bad"
        )
    if not cause.schedules:
        said.append("No repair was looked for: not every one of its schedules is known")
    elif cause.bad == cause.schedules:
        said.append(f"Keeping statements together cannot mend it: all {cause.schedules:,} schedules are bad")
    elif not cause.repair:
        tried = "no run of statements that was tried, of one operation or of each"
        said.insert(0, f"No repair was found: {tried}, leaves only good schedules when it is kept together")
    if cause.is_cut:
        said.append("The time to look for repairs ended before every run of statements was tried")
    return said


def causes_words(named: Iterable[tuple[str, Cause]]) -> list[str]:
    """Causes in two or three sentences each, the worst harm first. `named`: each with its scenario's name."""
    alike: dict[str, tuple[Cause, list[str]]] = {}
    for scenario, cause in named:
        # A cause that several scenarios have is told once; if it was shown in one of them, as it was shown
        # there.
        known, where = alike.get(cause.name, (cause, []))
        alike[cause.name] = (cause if cause.fate == "realised" else known, [*where, scenario])
    ordered = sorted(alike.values(), key=lambda each: (HARMS.index(each[0].harm), each[0].name))
    said = [cause_words(cause, where) for cause, where in ordered[:CAUSES_MAX]]
    more = len(ordered) - CAUSES_MAX
    return said + ([f"{plural(more, 'more cause')} stand in run.json."] if more > 0 else [])


def cause_words(cause: Cause, where: Sequence[str], change: str = "") -> str:
    """A cause in two or three sentences: where it is, what turns a schedule bad, and what would mend it.

    change   what became of it since another version, in a word or two
    """
    head = (
        f"Root cause {legible(cause.name, 200)} (harm: {cause.harm.value}){f', {change}' if change else ''}, "
        f"in {listed(list(dict.fromkeys(where)))}, {_FATES[cause.fate]}."
    )
    mends = [repair_words(one, cause.schedules, cause.bad) for one in cause.repair[:1]]
    said = [legible(cause.turn, 300), *(legible(line, REPAIR_LENGTH_MAX) for line in mends)]
    return " ".join([head, *(f"{line}." for line in said if line)])
