"""`mailrace check`, `plan`, `schema`, `init`: what can be done with scenario files without a server."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.request import OWN, chosen, files_of

Baseline = Annotated[
    Path | None,
    options.look_option("--baseline", metavar="FILE", help="Check this file of accepted anomalies as well."),
]


@command
def check(
    paths: options.Paths = None, baseline: Baseline = None, allow_outside: options.OutsideOption = False
) -> None:
    """Check scenario files: every mistake of each, with line and column; nothing is run.

    The scenarios that their controls name are looked up, and those of a baseline.
    """
    from mailrace.model.errors import Mistake, ScenarioError
    from mailrace.preflight import scenario_names, unknown_controls
    from mailrace.scenario import Scenario, load
    from mailrace.studies.gate import load_baseline

    mistakes: list[Mistake] = []
    scenarios: list[Scenario] = []
    files = files_of(paths)
    for path in files:
        try:
            scenarios.append(load(path, "anywhere" if allow_outside else "folder"))
            mistakes += unknown_controls(scenarios[-1])
        except ScenarioError as wrong:
            mistakes += wrong.mistakes
    # The mistakes of all files are collected, and told together at the end.
    if baseline is not None:
        try:
            load_baseline(baseline, scenario_names(scenarios))
        except ScenarioError as wrong:
            mistakes += wrong.mistakes
    if mistakes:
        raise ScenarioError(tuple(mistakes))
    print("1 scenario file is right" if len(files) == 1 else f"{len(files)} scenario files are right")


@command
def plan(
    paths: options.Paths = None,
    name: options.NameOption = None,
    seed: options.SeedOption = 1,
    rounds: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many rounds to print.")] = 1,
) -> None:
    """Print as JSON what would be done, round by round, and send nothing."""
    import json
    from dataclasses import asdict

    from mailrace.cli.show import write_json
    from mailrace.scenario import Plan, new_run

    chosen_seed = 1 if seed is None else seed
    for scenario in chosen(paths, name).scenarios:
        drawn = Plan(scenario, chosen_seed, new_run(str(chosen_seed).encode()))
        file = str(scenario.file or "")
        head = {"scenario": scenario.name, "file": file, "seed": drawn.seed, "domain": drawn.domain}
        shown = [asdict(drawn.round(index)) for index in range(rounds)]
        write_json(json.dumps({**head, "rounds": shown}, indent=2, ensure_ascii=False))


@command
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from mailrace.cli.show import write_json
    from mailrace.scenario import schema_text

    write_json(schema_text())


@command
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The scenario file to write.")] = Path(
        "scenarios/my.race.yaml"
    ),
) -> None:
    """Write a commented scenario to start from; an existing file is left alone."""
    from mailrace.cli.screen import Screen
    from mailrace.history import make_folder, require_file, write_whole
    from mailrace.model.errors import UsageError
    from mailrace.scenario import template

    suffix = ".race.yaml"
    if not file.name.endswith(suffix):
        raise UsageError(f"{file}: scenario files end in {suffix}; name it {file.stem or 'my'}{suffix}")
    name = file.name.removesuffix(suffix)
    if os.path.lexists(file):
        raise UsageError(f"{file}: is there already; name another file")
    make_folder("FILE", file.parent)
    require_file("FILE", file)
    write_whole(file, template(name).encode("utf-8", "backslashreplace"))
    said = Screen()
    said.line(f"{file} written; try: {shlex.join(['mailrace', 'run', str(file)])}")
    # Where no scenario is named, only the folder `scenarios` counts, so this is told about a file there.
    if file.parent == Path(OWN):
        said.line(
            "Where no scenario is named, run and steer take those of scenarios/, gate and matrix the shipped "
            "ones as well."
        )
