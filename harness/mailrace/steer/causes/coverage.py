"""Takes two operations' traces and a view; gives which of their conflicts came in both orders."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailrace.steer.causes.view import Label, View
from mailrace.steer.database_proxy.executions import TakenStep
from mailrace.steer.database_proxy.independence import Footprint, Footprints
from mailrace.steer.database_proxy.statement_text import text_of


@dataclass(frozen=True, slots=True)
class Traced:
    """One statement of an operation that ran alone, with the tables that it touches."""

    label: Label
    footprint: Footprint


def predicted(mine: Sequence[Traced], its: Sequence[Traced]) -> list[tuple[Label, Label]]:
    """Pairs of statements of which one writes a table that the other reads or writes."""
    return [
        (one.label, other.label)
        for one in mine
        for other in its
        if one.footprint.is_open
        or other.footprint.is_open
        or not one.footprint.is_apart_from(other.footprint)
    ]


def orders_of(view: View) -> frozenset[tuple[int, Label, Label]]:
    """(actor, its step, a later step of another one): every order of two steps that some schedule has."""
    done: list[dict[int, frozenset[Label]]] = [{} for _ in view.moves]
    done[0] = dict.fromkeys(range(len(view.kinds)), frozenset())
    found = set()
    # Each state comes after all that lead to it, and what an actor did is the same on each way to it.
    for state, moves in enumerate(view.moves):
        for actor, after in moves.items():
            label = view.nexts[state][actor]
            done[after] = {**done[state], actor: done[state][actor] | {label}}
            for other, before in done[state].items():
                if other != actor:
                    found |= {(other, earlier, label) for earlier in before}
    return frozenset(found)


def traced(footprints: Footprints, steps: Sequence[TakenStep]) -> tuple[Traced, ...]:
    """A step may be a transaction: it is named by its first statement, and touches what all of them touch."""
    count: dict[str, int] = {}
    found = []
    for step in steps:
        calls = [call for statement in step.statements for call in statement.calls]
        template = text_of(calls[0][0])
        count[template] = count.get(template, 0) + 1
        found.append(Traced(Label(template, count[template]), footprints.of_step(tuple(calls))))
    return tuple(found)
