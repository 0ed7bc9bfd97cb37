"""Graphs of two actors that run straight through: every schedule is a path over a grid."""

from itertools import product

from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.programs import PlannedStep


def lattice(first: int, second: int, *, actors: int = 2) -> Graph:
    """Actor 0 has `first` steps `a1`, `a2` …, actor 1 has `second` steps `b1` ….

    Nodes tell schedules apart only by how far each actor is, so there is one leaf.
    """
    assert actors == 2
    texts = tuple(f"a{n + 1}" for n in range(first)), tuple(f"b{n + 1}" for n in range(second))
    return straight_through(*texts)


def straight_through(*texts: tuple[str, ...], told: tuple[str, str] = ("", "")) -> Graph:
    """Two actors, each with one step of each of its texts, answered by that text behind what it is told."""
    first, second = texts
    grid: dict[tuple[int, int], Node] = {}
    for at in sorted(product(range(len(first) + 1), range(len(second) + 1)), reverse=True):
        children = {0: grid.get((at[0] + 1, at[1])), 1: grid.get((at[0], at[1] + 1))}
        edges = {actor: child for actor, child in children.items() if child is not None}
        following = {actor: texts[actor][at[actor]] for actor in edges}
        steps = {actor: PlannedStep(((text, ()),), f"{text} []") for actor, text in following.items()}
        answers = tuple(
            tuple(f"{word}{t}" for t in ts[:n]) for word, ts, n in zip(told, texts, at, strict=True)
        )
        grid[at] = Node(answers, edges, steps)
    return Graph(grid[0, 0], len(grid), True)
