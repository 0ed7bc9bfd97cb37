"""The embedded reference beside the real Mailpit of each version: every shipped pair has the same classes.

Everything that a verdict rests on is compared: each class of orders with its anomalies, its replies and its
outcome; the number of orders, of bad ones, and of those that show each anomaly; and what ONE instance
keeps together, so which bad classes are split_only.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from mailrace.check.outcome import SerialOutcome, outcome_of
from mailrace.model.operation import PlannedRound, Send, ServerOptions
from mailrace.scenario import Plan, applies, load, scenario_from, shipped
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.search import Extent
from mailrace.steer.explore.state_space import Counted, StateSpace, explore
from mailrace.steer.one_instance.exclusions import Exclusions, run_release_points
from mailrace.steer.one_instance.shared_instance import SharedInstance
from mailrace.steer.servers.round import Round
from mailrace.targets import why_not

from tests.absent import nowhere_to_be_had
from tests.steer.test_real_mailpit import round_of

NO_PAIRS = {
    "no-rset-after-failure": "about one session's own commands",
    "read-delete-image": "about what a server keeps in memory",
    "same-message-id-large": "4 actors",
    "same-message-id-small": "4 actors",
    "shared-new-tag-8": "8 actors",
}
"""Shipped scenarios of which steer walks no pair, and why."""

VERSIONS = ("1.17.0", "1.17.1", "1.27.11", "1.30.5", "1.33.1")
BUILT = ("1.27.11", "1.30.5", "1.33.1")
"""Versions that are built where they are missing; the others are looked at where they are."""

LOOKS_MAX = 3
"""Looks at one instance. A broadcast between two statements changed what 6 of 384 saw."""

FILES = sorted(shipped().glob("*.race.yaml"))
LOOKS = [
    scenario_from(
        {
            "name": f"{kind.replace('_', '-')}-beside-delete",
            "given": [{"name": "old"}],
            "actors": [{kind: {"message": "old"}}, {"delete": {"messages": ["old"]}}],
        },
        shipped(),
    )
    for kind in ("release", "pop3_retrieve")
]
"""What leaves the server while it is deleted: no race was found there, so none is shipped."""
SCENARIOS = {it.name: it for it in (*map(load, FILES), *LOOKS)}

_ID = re.compile(r"\b[0-9A-Za-z]{22}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")

OnOne = tuple[tuple[int, int, tuple[tuple[str, int], ...]], tuple[tuple[str, ...], ...]]


def planned(name: str) -> PlannedRound:
    return Plan(SCENARIOS[name], 1, "mrsteertes").round(0)


def is_pair(name: str) -> bool:
    if any(message.image_bytes for message in planned(name).given):
        return False
    operations = planned(name).operations
    return len(operations) == 2 and not any(isinstance(o, Send) and o.lead for o in operations)


CASES = [
    pytest.param(name, version, id=f"{name}-{version}")
    for name in SCENARIOS
    for version in VERSIONS
    if is_pair(name) and applies(SCENARIOS[name].needs, version)
]


def test_every_shipped_scenario_is_compared_but_those_that_are_no_pair() -> None:
    assert {name for name in SCENARIOS if not is_pair(name)} == NO_PAIRS.keys()
    assert len(CASES) == 18 + 18 + 23 + 23 + 23


@dataclass(frozen=True)
class Comes:
    """What the walk of a pair shows; two of them are the same where the statements and their answers are.

    classes      each by its order: anomalies, replies, and outcome in normal form
    serial       what the serial orders come to
    bad_leaves   the anomalies of each outcome that has some
    schedules    all, bad ones, and how many show each anomaly
    """

    statements: frozenset[str]
    classes: dict[tuple[int, ...], tuple[frozenset[str], list[str], SerialOutcome]]
    serial: frozenset[SerialOutcome]
    bad_leaves: list[list[str]]
    schedules: Counted


def shown(space: StateSpace) -> Comes:
    assert space.coverage.is_complete
    assert space.coverage.missed == 0
    assert space.graph.is_whole
    return Comes(
        statements=frozenset(b.call.split(" [")[0] for run in space.executions for b in run.steps),
        classes={
            run.schedule: (space.judge.names(run), replies(run), outcome_of(run.record))
            for run in space.executions
        },
        serial=frozenset(space.judge.serial),
        bad_leaves=sorted(map(sorted, space.bad_leaves.values())),
        schedules=space.count(),
    )


def replies(run: Execution) -> list[str]:
    """Each actor's reply, IDs and times masked, JSON without what is empty; who was not answered."""
    said = {a.operation: a.text if a.code else a.said for a in run.record.attempts}
    told = [f"{a.operation}: {a.code} {_without_empty(said[a.operation])}" for a in run.record.attempts]
    return sorted(_TIME.sub("TIME", _ID.sub("ID", line)) for line in told) + list(run.record.hung)


def _without_empty(text: str) -> str:
    def shown(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {key: value for key, value in sorted(pairs) if value not in (None, "", [], {})}

    return json.dumps(json.loads(text, object_pairs_hook=shown)) if text.startswith(("{", "[")) else text


def on_one(place: Round, space: StateSpace) -> OnOne:
    """The orders that keep together what one instance keeps together, and the bad classes beyond them."""
    single = SharedInstance(place, space.graph)
    run_release_points(single)
    locks = Exclusions.seen(single, space.programs)
    reached = space.reached(locks.allow)
    total, bad, by_name = space.count(locks.allow)
    split = sorted(
        tuple(sorted(space.bad_leaves[leaf])) for _, leaf in space.violating if leaf not in reached
    )
    return (total, bad, tuple(sorted(by_name.items()))), tuple(split)


def needs_locks(space: StateSpace, options: ServerOptions) -> bool:
    """Whether it matters what one instance keeps together: only to bad classes, where there is one instance.

    Not where an order hangs: each release point would cost a server or two, and shows no other lock.
    """
    hangs = any(run.record.hung for run in space.executions)
    return bool(space.violating) and options.instances == 1 and not hangs


@pytest.mark.mailpit
@pytest.mark.parametrize(("name", "version"), CASES)
def test_it_comes_to_what_the_real_one_comes_to(
    name: str, version: str, real_mailpit: Callable[[str], str]
) -> None:
    if version not in BUILT and (reason := why_not(f"mailpit@{version}")):
        nowhere_to_be_had(reason)
    target = real_mailpit(version)
    it = SCENARIOS[name]
    with round_of(it, f"embedded@{version}") as ours, round_of(it, target) as theirs:
        our_land, their_land = (
            explore(p, Extent(schedules_max=5000, seconds_max=60)) for p in (ours, theirs)
        )
        assert shown(our_land) == shown(their_land)
        if not needs_locks(their_land, ours.rig.options):
            return
        our_looks: set[OnOne] = set()
        their_looks: set[OnOne] = set()
        for _ in range(LOOKS_MAX):
            our_looks.add(on_one(ours, our_land))
            their_looks.add(on_one(theirs, their_land))
            if our_looks & their_looks:
                break
        assert our_looks & their_looks, f"ours {our_looks}, real {their_looks}"
