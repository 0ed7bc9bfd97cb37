"""The violating executions of a state space in, one `ViolatingClass` for each bad end out, easiest first."""

from dataclasses import dataclass

from mailrace.steer.database_proxy.executions import Execution, Schedule
from mailrace.steer.explore.graph import Follows, Graph, Node
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.one_instance.routes import fewest_preemptions, preemptions_of
from mailrace.steer.one_instance.scheduler import step_text


@dataclass(frozen=True, slots=True)
class ViolatingClass:
    """Violating executions that end in one leaf. `easiest`: the schedule with the fewest preemptions.

    easiest   None: no schedule that one instance allows comes to the leaf
    """

    leaf: Node
    runs: tuple[Execution, ...]
    easiest: Schedule | None
    preemptions: int

    @property
    def hardness(self) -> tuple[bool, int, int]:
        """What the classes are ranked by: preemptions first, for each halves the chance of a try."""
        return self.easiest is None, self.preemptions, len(self.easiest or ())


def by_hardness(space: StateSpace, allowed: Follows) -> list[ViolatingClass]:
    """Every violating class, the easiest first, of the schedules that are `allowed`."""
    leaves: dict[Node, list[Execution]] = {}
    for run, leaf in space.violating:
        leaves.setdefault(leaf, []).append(run)
    found = []
    for leaf, runs in leaves.items():
        easiest = fewest_preemptions(space.graph, leaf, allowed)
        preemptions = preemptions_of(space.graph, easiest or (), allowed)
        found.append(ViolatingClass(leaf, tuple(runs), easiest, preemptions))
    return sorted(found, key=lambda one: one.hardness)


def split_in_words(graph: Graph, run: Execution, allowed: Follows) -> str:
    """What the explored schedule of the class splits though one instance keeps it together, in words."""
    node, last, names = graph.root, -1, run.actors
    for actor in run.schedule:
        if not allowed(node, last, actor):
            held = next(a for a in node.steps if a != actor and node.number(a))
            return (
                f"one instance was seen to keep together what it splits: {names[actor]}'s "
                f"`{step_text(node, actor)[:60]}` would come before {names[held]}'s "
                f"`{step_text(node, held)[:60]}`"
            )
        node, last = node.edges[actor], actor
    return "every schedule of it splits what one instance was seen to keep together"
