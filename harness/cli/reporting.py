"""`mailrace report` and `replay`: what a run left, rendered again, and run again."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import app


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.")] = Path("reports/latest"),
    formats: Annotated[
        str, typer.Option("--format", help="html, md, junit, ctrf, json; several by comma.")
    ] = "html,md,junit,json",
) -> None:
    """Render the reports of a run again; of a run that was killed, from what it had written."""
    from harness.cli.show import outcome
    from harness.model.errors import UsageError
    from harness.recover import result_of
    from harness.report import FORMATS, render

    wanted = tuple(word.strip() for word in formats.split(",") if word.strip())
    unknown = [word for word in wanted if word not in FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"--format {formats}: {', '.join(unknown) or 'nothing'} is none of {', '.join(FORMATS)}"
        )
    result = result_of(folder)
    files = render(result, folder, wanted)
    outcome(result, str(folder), verbose=False)
    for file in files:
        print(file)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, or a bundle.")] = Path(
        "reports/latest"
    ),
    scenario: Annotated[
        str | None, typer.Option(help="Of this scenario; default: the first with a witness.")
    ] = None,
    round_: Annotated[int | None, typer.Option("--round", help="This round of it.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="On this target; default: the one recorded.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50_000, help="At most so many rounds.")] = 1_000,
) -> None:
    """Run a recorded round or schedule again: STILL FAILS (1), FIXED (0) or COULD NOT RUN (3)."""
    import shlex
    import sys

    from harness.cli.show import Teller
    from harness.studies.replay import recorded, replay_round

    what = recorded(folder, scenario=scenario, round_=round_)
    teller = Teller()
    command = shlex.join(["mailrace", *sys.argv[1:]])
    try:
        answer = replay_round(
            what,
            target or what.result.target.name,
            rounds=rounds,
            reports=Path("reports"),
            command=command,
            listener=teller,
        )
    finally:
        teller.close()
    print(f"{answer.word}: {answer.hits} of {answer.rounds}")
    print(answer.sentence)
    raise typer.Exit(int(answer.status))
