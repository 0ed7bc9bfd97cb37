"""Graphs of two actors that run straight through: every order is a path over a grid."""

from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.programs import Planned


def lattice(first: int, second: int, *, actors: int = 2) -> Graph:
    """Actor 0 has `first` blocks `a1`, `a2` …, actor 1 has `second` blocks `b1` ….

    Nodes tell orders apart only by how far each actor is, so there is one leaf.
    """
    assert actors == 2
    grid = {
        (i, j): Node((tuple(f"a{n + 1}" for n in range(i)), tuple(f"b{n + 1}" for n in range(j))))
        for i in range(first + 1)
        for j in range(second + 1)
    }
    for (i, j), node in grid.items():
        if i < first:
            node.edges[0] = grid[i + 1, j]
            node.blocks[0] = Planned(((f"a{i + 1}", ()),), f"a{i + 1} []")
        if j < second:
            node.edges[1] = grid[i, j + 1]
            node.blocks[1] = Planned(((f"b{j + 1}", ()),), f"b{j + 1} []")
    return Graph(grid[0, 0], len(grid), True)


def everything(_node: Node, _last: int, _actor: int) -> bool:
    """No lock anywhere."""
    return True
