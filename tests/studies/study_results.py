"""Typed-in results of scenarios and runs, as few words each as a study needs."""

from mailrace.model.result import (
    SCHEMA_VERSION,
    Block,
    ControlResult,
    RunResult,
    ScenarioResult,
    Schedules,
    Verdict,
)
from mailrace.model.target import TargetInfo, VersionSource


def raced(
    verdict: Verdict,
    rounds: int = 100,
    *,
    name: str = "s",
    hits: int | None = None,
    control: ControlResult | None = None,
    blocks: tuple[Block, ...] = (),
    **anomalies: int,
) -> ScenarioResult:
    """A natively raced scenario; hits: as many as its most frequent anomaly."""
    return ScenarioResult(
        name=name,
        title=name,
        file=f"{name}.race.yaml",
        mode="race",
        verdict=verdict,
        reason=f"{verdict} of {name}.",
        rounds=rounds,
        hits=max(anomalies.values(), default=0) if hits is None else hits,
        anomalies=anomalies,
        control=control,
        blocks=blocks,
        accepted={"send.1": rounds, "send.2": rounds},
        seconds={"all": rounds / 10},
    )


def steered(
    verdict: Verdict,
    classes: int = 9,
    *,
    name: str = "s",
    missed: int = 0,
    is_exhaustive: bool = True,
    unrealised: tuple[str, ...] = (),
    doubt: str = "",
    **anomalies: int,
) -> ScenarioResult:
    """A steered scenario."""
    return ScenarioResult(
        name=name,
        title=name,
        file=f"{name}.race.yaml",
        mode="steer",
        verdict=verdict,
        reason=f"{verdict} of {name}.",
        rounds=classes,
        anomalies=anomalies,
        schedules=Schedules(
            explored=classes,
            classes=classes,
            violating=max(anomalies.values(), default=0),
            split_only=0,
            missed=missed,
            exhaustive=is_exhaustive,
            bound="every schedule",
            unrealised=len(unrealised),
            unrealised_anomalies=unrealised,
            doubt=doubt,
        ),
    )


def run_of(
    *scenarios: ScenarioResult, seed: int = 1, version: str = "1.30.5", token: str = "", **more: object
) -> RunResult:
    """A run of those scenarios."""
    return RunResult(
        mailrace="0.1.0",
        schema_version=SCHEMA_VERSION,
        verdict=Verdict.PASS,
        target=TargetInfo(
            name="mailpit@1.30.5",
            version=version,
            version_source=VersionSource.BUILD_INFO,
            storage="sqlite",
            settings={"GOMAXPROCS": "4"},
        ),
        seed=seed,
        run=token or f"mr{seed:08d}",
        command=f"mailrace run --seed {seed}",
        started=f"2026-11-23T14:00:{seed % 60:02d}+00:00",
        environment={"cpus": "2"},
        scenarios=scenarios,
        **more,
    )
