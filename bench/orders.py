"""Wall milliseconds an order while steer explores, the start of the servers included once."""

import statistics

from mailrace.model.operation import ServerOptions
from mailrace.model.result import Schedules
from mailrace.scenario import Scenario, applies, load, shipped
from mailrace.steer import SteerRequest, steer
from mailrace.targets import open_target, parse_target, why_not

REPEATS = 3
SCENARIOS = (
    "shared-new-tag",
    "send-delete-unrelated",
    "send-delete-all",
    "same-message-id-small",
    "overlapping-deletions",
    "shared-new-tag-8",
)
"""Pairs, three senders, servers that hang and are replaced, and 8 senders of 8 tags (43 statements each)."""
TARGETS = ("mailpit@1.17.0", "mailpit@1.17.1", "mailpit@1.27.11", "mailpit@1.30.5")


def measure(targets: tuple[str, ...] = TARGETS) -> None:
    """Print a row for each scenario and target at hand."""
    print(f"\nsteer, exploring: orders run, seconds and ms an order, start included; medians of {REPEATS}")
    for target in targets:
        if why_not(parse_target(target).text):
            continue
        version = open_target(target, ServerOptions()).info.version
        for name in SCENARIOS:
            scenario = load(shipped() / f"{name}.race.yaml")
            if applies(scenario.needs, version):
                print(f"  {target:18}{name:26}{_row(scenario, target)}", flush=True)


def _row(scenario: Scenario, target: str) -> str:
    seen: list[Schedules] = []
    for seed in range(REPEATS):
        result = steer(scenario, target, SteerRequest(seed=seed, realise_s_max=0.0))
        if result.schedules is not None:
            seen.append(result.schedules)
    orders = statistics.median(one.orders_run for one in seen)
    seconds = statistics.median(one.seconds["start"] + one.seconds["explore"] for one in seen)
    ms = statistics.median(one.ms_per_order for one in seen)
    return f"{orders:>6.0f} orders{seconds:>8.2f} s{ms:>8.1f} ms"
