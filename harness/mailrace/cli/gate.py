"""`mailrace gate`: may we upgrade from one version to another? The answer is the exit status."""

import os
import random
import shlex
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli.app import app
from mailrace.cli.defaults import settings
from mailrace.cli.racing import NameOption, OutOption, Paths, SeedOption, Trial, Until, default_paths

if TYPE_CHECKING:
    from mailrace.studies.gate_document import Gate


class Mode(StrEnum):
    """How the versions are looked at."""

    auto = "auto"
    race = "race"
    steer = "steer"


ModeOption = Annotated[
    Mode, typer.Option(help="auto: steer where the server is ours to start, else race natively.")
]
ROUNDS = 2_000
"""Of each scenario at most, natively; `--until decided` mostly ends it sooner."""


@app.command()
def gate(
    paths: Paths = None,
    old: Annotated[
        str, typer.Option("--from", metavar="TARGET", help="The version in use, such as mailpit@1.27.11.")
    ] = "",
    new: Annotated[
        str,
        typer.Option(
            "--to", metavar="TARGET", help="The one to upgrade to; also http://… or image:NAME:TAG."
        ),
    ] = "",
    name: NameOption = None,
    mode: ModeOption = Mode.auto,
    strict: Annotated[
        bool, typer.Option("--strict", help="All that the new version shows counts, not only what is new.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="A file of anomalies that are accepted, with reasons.")
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option("--write-baseline", help="Write what the new version shows as a baseline."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=50_000, help=f"Natively, rounds at most; default {ROUNDS}.")
    ] = None,
    until: Annotated[
        Until, typer.Option(help="decided: stop as soon as more rounds can change nothing.")
    ] = Until.decided,
    trial: Annotated[
        Trial, typer.Option(help="Natively, cold: fresh processes for each round.")
    ] = Trial.warm,
    seed: SeedOption = None,
    confidence: Annotated[float | None, typer.Option(min=0.5, max=0.999999, help="Of a clean word.")] = None,
    theta: Annotated[
        float,
        typer.Option(min=0.01, max=100.0, help="A clean word speaks of races so many times as frequent."),
    ] = 1 / 3,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="No round begins after so long.")
    ] = None,
    gomaxprocs: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="GOMAXPROCS of a managed Mailpit."),
    ] = None,
    allow_deletions: Annotated[
        bool, typer.Option("--allow-deletions", help="On a server that is not ours, let actors delete.")
    ] = False,
    out: OutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="gate.json on stdout, and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors and the verdict.")] = False,
) -> None:
    """Compare two versions, scenario by scenario: fixed, unchanged, new, not applicable, could not look.

    Exit status: 0 nothing new, 1 something new, 3 could not look somewhere, 4 a server or mailrace failed.
    """
    from mailrace.cli.show import Teller, console
    from mailrace.model.errors import UsageError
    from mailrace.run import Output, Racing, RunRequest, ServerUse
    from mailrace.scenario import find, load
    from mailrace.studies.baseline import baseline_text, load_baseline
    from mailrace.studies.gate_document import GateOptions
    from mailrace.studies.gate_report import annotations, gate_json, gate_markdown, write_gate
    from mailrace.studies.gating import run_gate
    from mailrace.studies.image import is_image, program_of
    from mailrace.studies.put_again import put_again
    from mailrace.targets import parse_target
    from mailrace.verdict import EXIT_STATUS

    for option, value in (("--from", old), ("--to", new)):
        if not value:
            raise UsageError(f"{option}: is missing; name a target, as in {option} mailpit@1.30.5")
    set_ = settings()
    accepted = load_baseline(baseline) if baseline is not None else ()
    scenarios = [load(path) for path in find(paths or default_paths(), name)]
    programs = {given: parse_target(program_of(given) if is_image(given) else given) for given in (old, new)}
    chosen_seed = random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed
    options = GateOptions(
        old=programs[old],
        new=programs[new],
        mode=mode.value,
        is_strict=strict,
        accepted=accepted,
        today=date.today(),
        names={program: given for given, program in programs.items()},
        run=RunRequest(
            target=programs[new],
            seed=chosen_seed,
            time_limit_s=time_limit,
            command=shlex.join(["mailrace", *sys.argv[1:]]),
            racing=Racing(
                rounds=rounds or set_.get("rounds") or ROUNDS,
                until=until.value,
                trial=trial.value,
                confidence=confidence or set_.get("confidence", 0.99),
                theta=theta,
            ),
            server=ServerUse(
                gomaxprocs=gomaxprocs or set_.get("gomaxprocs"), allow_deletions=allow_deletions
            ),
            output=Output(reports=Path(set_.get("reports", "reports")), out=out),
        ),
    )
    is_silent = quiet or as_json
    said = console()
    if not is_silent:
        said.print(f"from {old} to {new}, seed {chosen_seed}, {len(scenarios)} scenarios", markup=False)
    teller = Teller(quiet=is_silent)
    try:
        done = run_gate(
            scenarios,
            options,
            put_again=put_again,
            listener=teller,
            tell=(lambda _: None) if is_silent else lambda text: said.print(text, markup=False),
        )
    finally:
        teller.close()
    write_gate(done.gate, done.new, done.folder)
    if write_baseline is not None:
        write_baseline.write_text(
            baseline_text(done.gate.findings, accepted, options.today), encoding="utf-8"
        )
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(done.gate, Path.cwd()):
            print(line, file=sys.stderr)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(gate_markdown(done.gate))
    if as_json:
        print(gate_json(done.gate), end="")
    elif quiet:
        print(done.gate.verdict, file=sys.stderr)
    else:
        _show(done.gate, done.folder)
    raise typer.Exit(int(EXIT_STATUS[done.gate.verdict]))


def _show(gate: "Gate", folder: Path) -> None:
    """The findings as a table, the proof of each that counts, the headline."""
    from rich.table import Table

    from mailrace.cli.show import STYLE, console, styled
    from mailrace.model.result import Verdict
    from mailrace.studies.gate import verdict_of
    from mailrace.studies.gate_report import headline, in_order

    out = console()
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("scenario", "anomaly", "change", f"old ({gate.old_version})", f"new ({gate.new_version})"):
        shown.add_column(column, overflow="fold")
    found = in_order(gate.findings)
    for one in found:
        verdict = verdict_of(one, is_strict=gate.is_strict)
        change = f"{one.change} (accepted)" if one.accepted else str(one.change)
        shown.add_row(one.scenario, one.anomaly or "-", styled(verdict, change), one.old, one.new)
    out.print()
    out.print(shown)
    for one in found:
        word = verdict_of(one, is_strict=gate.is_strict)
        if word in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            continue
        out.print()
        out.print(f"{one.scenario}: {one.anomaly or 'as a whole'}: {one.change}: {one.reason}", markup=False)
        for text in (one.proof, f"schedule: {one.schedule}" if one.schedule else ""):
            if text:
                out.print(f"  {text}", markup=False)
        if one.replay:
            out.print(f"  again: {one.replay}", markup=False)
    for note in gate.notes:
        out.print(f"baseline: {note}", markup=False)
    out.print(f"\n{gate.verdict}: {headline(gate)}", style=STYLE[gate.verdict])
    out.print(f"report: {folder}/gate.md", markup=False)
