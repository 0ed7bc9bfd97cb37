"""`mailrace report`, `replay`, `bundle`: what a run left, rendered again, run again, and handed on."""

from pathlib import Path
from typing import Annotated

import typer

from mailrace.cli.app import app


@app.command()
def report(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder of a run; default: reports/latest.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="html, md, junit, ctrf, json; several by comma.")
    ] = "html,md,junit,json",
    index: Annotated[
        bool, typer.Option("--index", help="Instead: the page over all runs in this folder, with trends.")
    ] = False,
) -> None:
    """Render the reports of a run again; of a run that was killed, from what it had written."""
    from mailrace.cli.show import outcome
    from mailrace.model.errors import UsageError
    from mailrace.recover import result_of
    from mailrace.report import FORMATS, render, render_index

    if index:
        print(render_index(folder or Path("reports")))
        return
    folder = folder or Path("reports/latest")
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
    source: Annotated[
        Path, typer.Argument(help="The folder of a run, its name under reports/, or a bundle.")
    ] = Path("reports/latest"),
    scenario: Annotated[str | None, typer.Option(help="Of this scenario.")] = None,
    round_: Annotated[int | None, typer.Option("--round", help="This round of it.")] = None,
    anomaly: Annotated[str | None, typer.Option(help="This anomaly, such as tag_lost.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="On this target; default: the one recorded.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50_000, help="Natively: at most so many rounds.")] = 1_000,
    times: Annotated[int, typer.Option(min=1, max=1_000, help="A schedule: so many runs of it.")] = 10,
) -> None:
    """Run a recorded round or schedule again: STILL FAILS (1), FIXED (0) or COULD NOT RUN (3)."""
    import tempfile

    from mailrace.cli.show import Teller
    from mailrace.cli.studies import run_request
    from mailrace.report import unpack
    from mailrace.studies.replay import recorded
    from mailrace.studies.replay import replay as run_again

    teller = Teller()
    with tempfile.TemporaryDirectory(prefix="replay-") as unpacked:
        if source.suffix == ".zip":
            unpack(source, Path(unpacked))
        place = Path(unpacked) if source.suffix == ".zip" else source
        what = recorded(place, scenario=scenario, round_=round_, anomaly=anomaly)
        try:
            answer = run_again(
                what,
                run_request(target or what.result.target.name, seed=1, rounds=rounds),
                times=times,
                listener=teller,
            )
        finally:
            teller.close()
    print(f"{answer.word}: {answer.hits} of {answer.rounds}")
    print(answer.sentence)
    raise typer.Exit(int(answer.status))


@app.command()
def bundle(
    folder: Annotated[Path, typer.Argument(help="The folder of a run.")] = Path("reports/latest"),
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.")] = Path("mailrace-bundle.zip"),
    scenario: Annotated[str, typer.Option(help="Of this scenario; default: the first with a witness.")] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Leave these as they are: addresses, hosts, paths, users; may be given again."),
    ] = None,
) -> None:
    """Make one zip for a bug report: ISSUE.md, repro.py that needs nothing of ours, and the whole record."""
    from mailrace.cli.show import console
    from mailrace.report import bundle as write_bundle
    from mailrace.report import own_messages, what_is_redacted

    kept = tuple(keep or ())
    for one in what_is_redacted(folder):
        word = "kept" if one.kind in kept else "replaced"
        console().print(f"{word}: {one.kind}: {one.found} → {one.shown}", markup=False)
    for mail in own_messages(folder, scenario):
        what = "your own message, included as it is, in repro.py as well: nothing in it is replaced"
        console().print(f"{mail}: {what}", markup=False)
    print(write_bundle(folder, out, keep=kept, scenario=scenario))
