"""`mailrace gate`: may we upgrade from one version to another? The exit status answers it."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.campaign import Asked, ShareOption, StateOption, WorkersOption, findings_by, with_workers
from mailrace.cli.completion import target_names
from mailrace.cli.defaults import settings
from mailrace.cli.options import look_option, output_option, sure_option
from mailrace.cli.request import Manner, asked, chosen, racing, server_use
from mailrace.model.consequences import Harm

if TYPE_CHECKING:
    from mailrace.cli.request import Chosen
    from mailrace.studies.gate import Gate
    from mailrace.targets import TargetName

ROUNDS = 2_000
"""So many rounds a scenario is raced at most; `--until decided` mostly ends it sooner."""

From = Annotated[
    str,
    look_option(
        "--from",
        metavar="TARGET",
        autocompletion=target_names,
        help="The version in use, such as mailpit@1.27.11.",
    ),
]
To = Annotated[
    str,
    look_option(
        "--to",
        metavar="TARGET",
        autocompletion=target_names,
        help="The one to upgrade to; also http://… or image:NAME:TAG.",
    ),
]
Strict = Annotated[
    bool, sure_option("--strict", help="All that the new version shows counts, not only what is new.")
]
Baseline = Annotated[
    Path | None,
    sure_option("--baseline", metavar="FILE", help="The anomalies that are accepted, with reasons."),
]


def _free(place: Path | None) -> Path | None:
    """The place of the new baseline.

    Raises UsageError where no file can be, before the gate takes its time.
    """
    from mailrace.history import require_file

    if place is not None:
        require_file("--write-baseline", place)
    return place


WriteBaseline = Annotated[
    Path | None,
    output_option(
        "--write-baseline",
        metavar="FILE",
        callback=_free,
        help="Write what the new version shows as a baseline.",
    ),
]


@command
def gate(
    paths: options.Paths = None,
    old: From = "",
    new: To = "",
    name: options.NameOption = None,
    mode: options.ModeOption = "auto",
    seed: options.SeedOption = None,
    rounds: options.RoundsOption = None,
    until: options.UntilOption = "decided",
    trial: options.TrialOption = "warm",
    time_limit: options.TimeLimitOption = None,
    gomaxprocs: options.GomaxprocsOption = None,
    strict: Strict = False,
    harm: options.HarmOption = "reply",
    baseline: Baseline = None,
    confidence: options.ConfidenceOption = None,
    theta: options.ThetaOption = 1 / 3,
    allow_deletions: options.AllowDeletionsOption = False,
    allow_outside: options.OutsideOption = False,
    workers: WorkersOption = None,
    share_machine: ShareOption = False,
    state: StateOption = None,
    out: options.OutOption = None,
    write_baseline: WriteBaseline = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Say whether an upgrade brings a race: each scenario on both versions; new, unchanged, fixed or clean.

    Exit status: 0 nothing new, 1 something new, 3 could not look somewhere, 4 a server or mailrace failed.
    """
    from mailrace.cli.progress import Teller
    from mailrace.studies.gate import GateRequest, baseline_text, load_baseline, run_gate, write_gate

    programs = {given: _program(option, given) for option, given in (("--from", old), ("--to", new))}
    what = chosen(paths, name, with_shipped=True, allow_outside=allow_outside)
    rounds = rounds or settings().rounds or ROUNDS
    how = racing(rounds=rounds, until=until, trial=trial, confidence=confidence, theta=theta)
    use = server_use(gomaxprocs, allow_deletions=allow_deletions)
    by = Asked(workers, state, share=share_machine).of(*programs.values())
    asked_ = GateRequest(
        old=programs[old],
        new=programs[new],
        mode=mode,
        is_strict=strict,
        harm=Harm[harm.upper()],
        accepted=load_baseline(baseline) if baseline is not None else (),
        today=date.today(),
        names=dict(zip(programs.values(), programs, strict=True)),
        is_elsewhere=by.are_elsewhere,
        run=asked(programs[new], how, use, seed=by.seed(seed), out=out, time_limit_s=time_limit),
    )
    with Teller(scenarios=2 * len(what.scenarios), quiet=quiet or as_json) as teller:
        teller.note(f"from {old} to {new}, seed {asked_.run.seed}, {what.said}")
        with findings_by(by, teller) as look:
            done = run_gate(what.scenarios, asked_, listener=teller, tell=teller.note, look=look)
    write_gate(done.gate, done.new, done.folder)  # first, because it makes the folder
    if write_baseline is not None:
        _write(write_baseline, baseline_text(done.gate.findings, asked_.accepted, asked_.today))
    _say(done.gate, what, done.folder, Manner(as_json, quiet))


def _write(place: Path, text: str) -> None:
    from mailrace.history import write_whole

    write_whole(place, text.encode("utf-8", "backslashreplace"))


def _program(option: str, given: str) -> "TargetName":
    """The target that an option names; an image stands for the program in it."""
    from mailrace.model.errors import UsageError
    from mailrace.studies.image import is_image, program_of
    from mailrace.targets import parse_target

    if not given:
        raise UsageError(f"{option}: is missing; name a target, as in {option} mailpit@1.30.5")
    return parse_target(program_of(given) if is_image(given) else given)


def _say(gate: "Gate", what: "Chosen", folder: Path, manner: Manner) -> None:
    """Tell GitHub, write the page, and say it as asked; raises typer.Exit with the status."""
    from mailrace.cli.studies import finish_study
    from mailrace.report import to_json
    from mailrace.studies.gate import annotations, gate_markdown
    from mailrace.studies.pages import gate_study

    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(gate, Path.cwd()):
            print(line, file=sys.stderr)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(gate_markdown(gate))
            except OSError as wrong:  # the gate's answer does not depend on it
                print(f"mailrace: {summary}: no job summary is written ({wrong.strerror})", file=sys.stderr)
    study, document = gate_study(gate, what.scenarios), to_json(gate)
    study = with_workers(study, gate.environment.get("workers", ""))
    finish_study(study, folder, document, manner)
