"""Takes what steer explored; gives the `View` that causes are found on. Only this file knows the graph."""

from collections.abc import Mapping

from mailrace.model.anomaly import AnomalyName
from mailrace.steer.causes.view import Label, View
from mailrace.steer.database_proxy.statement_text import text_of
from mailrace.steer.explore.graph import Follows, Graph, Node

Ways = tuple[tuple[Label, ...], ...]
"""By actor, the steps that it ran so far."""


def view_of(
    graph: Graph, bad: Mapping[Node, frozenset[AnomalyName]], kinds: tuple[str, ...], allowed: Follows
) -> tuple[View, Mapping[Node, int]]:
    """The view of the steps that are `allowed`, and the number of each state in it.

    A state that no allowed step comes to is not in it. The graph has to be whole.
    """
    # A step makes one history longer, so sorting by their length puts each state behind all before it.
    states = sorted(_reached(graph, allowed), key=_depth)
    number = {node: index for index, node in enumerate(states)}
    ways: dict[Node, Ways] = {graph.root: ((),) * len(kinds)}
    moves, nexts, lasts = [], [], []
    for node in states:
        mine = ways[node]
        following = {actor: _label(mine[actor], _template(node, actor)) for actor in node.edges}
        able = {actor: child for actor, child in node.edges.items() if child in number}
        able = {actor: child for actor, child in able.items() if allowed(node, -1, actor)}
        for actor, child in able.items():
            ways.setdefault(child, (*mine[:actor], (*mine[actor], following[actor]), *mine[actor + 1 :]))
        moves.append({actor: number[child] for actor, child in able.items()})
        nexts.append(following)
        lasts.append({actor: way[-1] for actor, way in enumerate(mine) if way})
    view = View(
        moves=tuple(moves),
        nexts=tuple(nexts),
        lasts=tuple(lasts),
        ends=frozenset(number[node] for node in states if node.is_leaf),
        bad={
            number[leaf]: frozenset(n.value for n in names) for leaf, names in bad.items() if leaf in number
        },
        kinds=kinds,
    )
    return view, number


def _reached(graph: Graph, allowed: Follows) -> list[Node]:
    seen = {graph.root: None}
    stack = [graph.root]
    while stack:
        node = stack.pop()
        for actor, child in node.edges.items():
            if child not in seen and allowed(node, -1, actor):
                seen[child] = None
                stack.append(child)
    return list(seen)


def _depth(node: Node) -> int:
    return sum(map(len, node.histories))


def _template(node: Node, actor: int) -> str:
    return text_of(node.steps[actor].calls[0][0])


def _label(before: tuple[Label, ...], template: str) -> Label:
    return Label(template, 1 + sum(1 for one in before if one.template == template))
