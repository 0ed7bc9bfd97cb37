"""`mailrace report`: what a run left, rendered again; also of a run that was killed."""

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
