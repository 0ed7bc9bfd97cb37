"""Small programs over a dictionary in, the `View` of all their interleavings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailrace.steer.causes.view import Label, View

Store = tuple[tuple[str, int], ...]
Do = Callable[[dict[str, int]], None]


@dataclass(frozen=True)
class Toy:
    """An operation: its kind, and its steps as (text, what it does). What it reads is kept in the store."""

    kind: str
    steps: Sequence[tuple[str, Do]]


def look_then_add(name: str) -> Toy:
    """Reads whether x is there, and adds it where it was not: two of them add it twice."""

    def look(store: dict[str, int]) -> None:
        store[f"{name} saw"] = store["x"]

    def add(store: dict[str, int]) -> None:
        store["x"] += store[f"{name} saw"] == 0

    return Toy("adder", (("LOOK x", look), ("ADD x", add)))


def idle(kind: str, number: int) -> Toy:
    """Does nothing to anything, so many times, with one text."""
    return Toy(kind, tuple(("IDLE", lambda _: None) for _ in range(number)))


def view_of_toys(
    toys: Sequence[Toy], broken: Callable[[Mapping[str, int]], Sequence[str]], x: int = 0
) -> View:
    """States are (how far each toy is, the store), numbered by how many steps were run."""
    root = ((0,) * len(toys), (("x", x),))
    levels: list[dict[tuple[tuple[int, ...], Store], None]] = [{root: None}]
    for _ in range(sum(len(toy.steps) for toy in toys)):
        levels.append({after: None for state in levels[-1] for _, after in _moves(toys, state)})
    states = [state for level in levels for state in level]
    number = {state: index for index, state in enumerate(states)}
    labels = [_labels(toy) for toy in toys]
    bad = {
        number[state]: frozenset(names)
        for state in states
        if not list(_moves(toys, state)) and (names := broken(dict(state[1])))
    }
    return View(
        moves=tuple({a: number[after] for a, after in _moves(toys, state)} for state in states),
        nexts=tuple({a: labels[a][at] for a, at in enumerate(s[0]) if at < len(labels[a])} for s in states),
        lasts=tuple({a: labels[a][at - 1] for a, at in enumerate(s[0]) if at} for s in states),
        ends=frozenset(number[s] for s in states if not list(_moves(toys, s))),
        bad=bad,
        kinds=tuple(toy.kind for toy in toys),
    )


def _moves(
    toys: Sequence[Toy], state: tuple[tuple[int, ...], Store]
) -> Iterator[tuple[int, tuple[tuple[int, ...], Store]]]:
    at, store = state
    for actor, toy in enumerate(toys):
        if at[actor] < len(toy.steps):
            after = dict(store)
            toy.steps[at[actor]][1](after)
            yield actor, ((*at[:actor], at[actor] + 1, *at[actor + 1 :]), tuple(sorted(after.items())))


def _labels(toy: Toy) -> list[Label]:
    texts = [text for text, _ in toy.steps]
    return [Label(text, texts[: i + 1].count(text)) for i, text in enumerate(texts)]


def orders(view: View, state: int = 0) -> Iterator[tuple[int, ...]]:
    """Every schedule from a state, one by one."""
    if state in view.ends:
        yield ()
    for actor, after in view.moves[state].items():
        for rest in orders(view, after):
            yield (actor, *rest)


def end_of(view: View, order: Sequence[int], state: int = 0) -> int:
    """Where a schedule ends."""
    for actor in order:
        state = view.moves[state][actor]
    return state
