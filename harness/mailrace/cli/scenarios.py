"""`mailrace check`, `plan`, `schema`, `init`: what can be said of scenario files without a server."""

from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import app
from mailrace.cli.racing import NameOption, Paths, SeedOption, default_paths


@app.command()
def check(paths: Paths = None) -> None:
    """Check scenario files: every mistake of each, with line and column; nothing is run."""
    from mailrace.model.errors import Mistake, ScenarioError
    from mailrace.scenario import find, load

    mistakes: list[Mistake] = []
    files = find(paths or default_paths(), None)
    for path in files:
        try:
            load(path)
        except ScenarioError as wrong:
            mistakes += wrong.mistakes
    if mistakes:
        raise ScenarioError(tuple(mistakes))
    print("1 scenario file is right" if len(files) == 1 else f"{len(files)} scenario files are right")


@app.command()
def plan(
    paths: Paths = None,
    name: NameOption = None,
    seed: SeedOption = 1,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help="How many rounds to print.")] = 1,
) -> None:
    """Print what would be done, round by round, and send nothing."""
    import json
    from dataclasses import asdict

    from mailrace.scenario import Plan, find, load, new_run

    for path in find(paths or default_paths(), name):
        scenario = load(path)
        drawn = Plan(scenario, seed or 1, new_run(str(seed).encode()))
        head = {"scenario": scenario.name, "file": str(path), "seed": drawn.seed, "domain": drawn.domain}
        shown = [asdict(drawn.round(index)) for index in range(rounds)]
        print(json.dumps({**head, "rounds": shown}, indent=2, ensure_ascii=False))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from mailrace.scenario import schema_text

    print(schema_text(), end="")


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The scenario file to write.")] = Path(
        "scenarios/my.race.yaml"
    ),
) -> None:
    """Write a commented scenario to start from; an existing file is left alone."""
    from mailrace.model.errors import UsageError
    from mailrace.scenario import template

    suffix = ".race.yaml"
    if not file.name.endswith(suffix):
        raise UsageError(
            f"{file}: scenario files end in {suffix}; name it {file.with_suffix('').name}{suffix}"
        )
    name = file.name.removesuffix(suffix)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(template(name))
    except FileExistsError as wrong:
        raise UsageError(f"{file}: is there already; name another file") from wrong
    except OSError as wrong:
        raise UsageError(f"{file}: cannot be written ({wrong.strerror})") from wrong
    print(f"{file} written; try: mailrace run {file}")
