"""Takes what a search executed; gives why it may not stand for every schedule, each reason in words.

A clean class is worth something only while four things hold: an actor that is told the same goes on the
same, every statement ran where it was chosen to, the same choices gave the same statements, and the graph of
all states knows no outcome that no execution came to.
"""

from collections.abc import Sequence

from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.database_proxy.statement_text import text_of
from mailrace.steer.explore.following import follow
from mailrace.steer.explore.graph import Graph
from mailrace.steer.explore.habits import SHOWN_MAX
from mailrace.steer.explore.programs import Programs
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.explore.strategy import Coverage

BROADCAST_ENDS_S_MAX = 1.0
"""On a busy machine its two statements may be far apart; where it has ended nothing is waited for."""
ENDS_AGAIN_MAX = 5
"""So many schedules that hang or crash are run again."""


def that_come_twice(
    separate: SeparateInstances, executions: Sequence[Execution]
) -> tuple[list[Execution], str]:
    """Those that did not hang or crash once only, and a sentence on these; "" if there are none.

    A hang counts where the same schedule hangs again. After a few that did, the others are believed.
    """
    kept, confirmed, once = [], 0, 0
    for execution in executions:
        if execution.has_ended_badly and confirmed < ENDS_AGAIN_MAX:
            again = follow(separate, execution)
            if again is None or not again.has_ended_badly:
                once += 1
                continue
            confirmed += 1
        kept.append(execution)
    return kept, f"{once} of its schedules hung or crashed, and not when run again" if once else ""


def doubt_of(separate: SeparateInstances, coverage: Coverage, programs: Programs) -> str:
    """Why an explored schedule may not stand for the others of its class; "" if nothing says so.

    Actors have to be functions of what they are told, and every statement has to run where it was chosen to.
    """
    habits, proxy = separate.habits, separate.rig.proxy
    if strays := habits.strays_in_words:
        return strays
    # A broadcast that has begun has to end before its halves are counted.
    separate.rig.loop.pump(lambda: not habits.odd(proxy.tally), BROADCAST_ENDS_S_MAX)
    if text := habits.odd(proxy.tally):
        return f"`{text}` came more often than the broadcast that sends it, and ran when nobody chose it"
    if coverage.diverged:
        return coverage.why_not
    for text in programs.texts:
        if separate.rig.footprints.of(text).is_of_connection:
            return f"`{text_of(text)[:SHOWN_MAX]}` asks for what no table holds, or sets it"
    if text := separate.round_.drawn.stale:
        return f"`{text[:SHOWN_MAX]}` holds a value that the server seems to pick among a few"
    if programs.conflicts:
        first = f", first with {programs.differing}" if programs.differing else ""
        return f"{programs.conflicts} times an actor that was told the same went on differently{first}"
    return ""


def unexplored(graph: Graph, executions: Sequence[Execution]) -> str:
    """What the graph knows of that no explored class came to, in words; "" if nothing."""
    if not graph.is_whole:
        return "a statement came up whose actor was never seen in that position"
    ends = [graph.leaf_of(run.schedule) for run in executions if not run.has_ended_badly]
    if None in ends:
        return f"{ends.count(None)} schedules that were run and that the graph of their states does not know"
    left = set(graph.leaves()) - {graph.leaf_of(run.schedule) for run in executions}
    return f"{len(left)} outcomes of its schedules that no explored class came to" if left else ""
