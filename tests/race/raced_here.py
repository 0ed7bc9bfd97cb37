"""A race against a server in the tests' own process, with short limits."""

from collections import Counter
from pathlib import Path
from typing import Any

from mailrace.history import read_histories
from mailrace.model.attempt import RoundRecord
from mailrace.model.result import ScenarioResult
from mailrace.race import Limits
from mailrace.run import Output, RunRequest, run
from mailrace.scenario import scenario_from, shipped
from mailrace.targets.ready import Waits

ROUNDS = 3
LIMIT_S = 0.6
"""How long the engine waits in these tests; a good answer comes within a millisecond or two."""


# The scripted server's threads take turns with the releases in this process: no measure of the engine.
LIMITS = Limits(
    reply_s=LIMIT_S,
    look_s=LIMIT_S / 2,
    connect_s=LIMIT_S,
    skew_us=1e9,
    unreleased_rounds=3,
    serial_rounds=2,
    target=Waits(greeting_s=LIMIT_S, answer_s=LIMIT_S),
)


def raced(target: str, folder: Path, **changed: Any) -> tuple[ScenarioResult, list[RoundRecord]]:
    """Two tagged senders at that target: the result, and the rounds as the history on disk has them."""
    data = {
        "name": "two-senders",
        "title": "Two senders",
        "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
        "rounds": ROUNDS,
        **changed,
    }
    scenario = scenario_from(data, Path(shipped()))
    request = RunRequest.of(target, Output(out=folder / "out", formats=("md",)))
    done = run([scenario], request, limits=LIMITS)
    (result,) = done.result.scenarios
    assert done.result.verdict is result.verdict
    assert (done.folder / "report.md").is_file(), "whatever happened, there is a report"
    return result, [r for one in read_histories(done.folder / "history.jsonl") for _, r, _ in one.rounds]


def ends(rounds: list[RoundRecord]) -> Counter[tuple[str, str]]:
    return Counter((a.outcome.value, a.word.value) for record in rounds for a in record.attempts)
