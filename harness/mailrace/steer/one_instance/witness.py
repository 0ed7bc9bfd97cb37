"""Takes a run, its graph and the judge; gives the `ScheduleWitness` that a report shows."""

from collections.abc import Iterable, Mapping

from mailrace.model.result import ScheduleWitness, Step
from mailrace.steer.database_proxy.executions import Execution, stretches_in_words
from mailrace.steer.database_proxy.rqlite import Answer, Done, Failed, Rows
from mailrace.steer.database_proxy.statement_text import Names, text_of
from mailrace.steer.explore.graph import Follows, Graph, Node
from mailrace.steer.explore.judge import in_words
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.one_instance.routes import is_preemption, preemptions_of

RESULT_MAX = 160


def witness_of(
    run: Execution,
    space: StateSpace,
    allowed: Follows,
    *,
    realised: int,
    repeats: int,
    tries: int,
    instances: int,
) -> ScheduleWitness:
    """The schedule of a violating run, its guilty pair marked, beside its serial orders.

    realised   runs of the recorded schedule with the same findings, of `repeats`
    """
    names, graph = run.actors, space.graph
    # Beside one followed schedule nothing is known of how others end.
    guilty = guilty_pair(run.schedule, graph, space.bad_leaves) if graph.is_whole else None
    return ScheduleWitness(
        text=text(run.schedule, names, graph, allowed, instances),
        deviations=preemptions_of(graph, run.schedule, allowed)
        if instances == 1 and is_path(graph, run.schedule)
        else 0,
        steps=steps(run, guilty),
        outcome=in_words(run),
        serial=space.judge.told,
        realised=realised,
        repeats=repeats,
        tries=tries,
        instances=instances,
    )


def text(
    schedule: tuple[int, ...], names: tuple[str, ...], graph: Graph, allowed: Follows, instances: int
) -> str:
    """A schedule, short: `send.2@send.1:4` is send 2 released at send 1's fourth statement.

    Then what deviates from the pool's alternation: `send.2:3+4` is send 2's fourth statement right after its
    third though another actor waits. With more than two actors, or several instances, where nothing
    alternates: the stretches of each actor's statements, `send.1:1-4 send.2:1-8 send.1:5-7`.
    """
    if len(names) > 2 or instances > 1 or not is_path(graph, schedule):
        return stretches_in_words(schedule, names)
    if not schedule:
        return "no statement"
    first, second = schedule[0], 1 - schedule[0]
    at = schedule.index(second) if second in schedule else len(schedule)
    parts = [f"{names[second]}@{names[first]}:{at}"]
    node, last = graph.root, -1
    for actor in schedule:
        if is_preemption(node, last, actor, allowed):
            number = node.number(actor)
            parts.append(f"{names[actor]}:{number}+{number + 1}")
        node, last = node.edges[actor], actor
    return " ".join(parts)


def steps(run: Execution, guilty: tuple[int, int] | None) -> tuple[Step, ...]:
    """Every statement in order; those of the guilty pair are marked."""
    names = run.actors
    count: dict[int, int] = {}
    found = []
    for index, step in enumerate(run.steps):
        for statement in step.statements:
            for (sql, args), answer in zip(statement.calls, statement.answers, strict=False):
                count[step.actor] = count.get(step.actor, 0) + 1
                found.append(
                    Step(
                        actor=names[step.actor],
                        number=count[step.actor],
                        sql=text_of(sql),
                        args=tuple(_shown(sql, i, a, run.names) for i, a in enumerate(args)),
                        result=result(answer, run.names),
                        guilty=guilty is not None and index in guilty,
                    )
                )
    return tuple(found)


def _shown(sql: str, index: int, value: object, names: Names) -> str:
    """An argument; of a stored message only what tells it apart."""
    if text_of(sql).startswith("INSERT INTO mailbox ") and index not in (1, 2, 3):
        return "…"
    return names.shown(value if isinstance(value, int | float | str | bytes) else None)


def result(answer: Answer, names: Names) -> str:
    """An answer in a few words."""
    match answer:
        case Failed():
            return f"error: {answer.text}"
        case Done():
            return f"{answer.rows_affected} row{'' if answer.rows_affected == 1 else 's'}"
        case Rows():
            if not answer.rows:
                return "no rows"
            shown = "; ".join(", ".join(names.shown(v) for v in row) for row in answer.rows)
            return shown if len(shown) <= RESULT_MAX else shown[:RESULT_MAX] + "…"


def is_path(graph: Graph, schedule: Iterable[int]) -> bool:
    """Whether the graph knows every step of a schedule, to its end or not."""
    node: Node | None = graph.root
    for actor in schedule:
        node = node.edges.get(actor) if node is not None else None
    return node is not None


def guilty_pair(
    schedule: tuple[int, ...], graph: Graph, bad_leaves: Mapping[Node, object]
) -> tuple[int, int] | None:
    """The indices of two neighbouring steps whose exchange alone turns the outcome good; the last such pair.

    After the exchange the actors go on in the same order, as far as they still have steps. None: no single
    exchange of neighbours does.
    """
    for index in range(len(schedule) - 2, -1, -1):
        if schedule[index] == schedule[index + 1]:
            continue
        turned = [*schedule[:index], schedule[index + 1], schedule[index], *schedule[index + 2 :]]
        leaf = _follow(graph, turned)
        if leaf is not None and leaf not in bad_leaves:
            return index, index + 1
    return None


def _follow(graph: Graph, schedule: list[int]) -> Node | None:
    """The leaf of a schedule whose actors may have fewer or more steps than it says."""
    node = graph.root
    for actor in schedule:
        node = node.edges.get(actor, node)
    while not node.is_leaf:
        node = node.edges[min(node.edges)]
    return node
