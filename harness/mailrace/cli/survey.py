"""`mailrace survey`: decides every pair of a version's operations; tells root causes and their repairs."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.campaign import Asked as Workers
from mailrace.cli.campaign import WorkersOption, decided_by
from mailrace.cli.request import asked
from mailrace.model.consequences import Harm, is_at_least

if TYPE_CHECKING:
    from mailrace.model.survey import Survey


FromOption = Annotated[
    str | None,
    options.look_option("--from", metavar="TARGET", help="Compare with this version, cause by cause."),
]
OnlyOption = Annotated[
    list[str] | None,
    options.look_option(
        metavar="OPERATION",
        help='Only pairs of these, such as "send" or "set tags"; may be given several times.',
    ),
]
StateOption = Annotated[
    Path | None,
    options.output_option(
        metavar="FOLDER", help="Keep what is found here, and go on from there when called again."
    ),
]
ActorsOption = Annotated[
    int,
    options.look_option(
        min=2,
        max=3,
        metavar="N",
        help="3: after the pairs three operations at a time, for five minutes or the rest of --time-limit.",
    ),
]


@command
def survey(
    target: options.TargetOption = None,
    before: FromOption = None,
    only: OnlyOption = None,
    actors: ActorsOption = 2,
    harm: options.HarmOption = "reply",
    state: StateOption = None,
    time_limit: options.TimeLimitOption = None,
    workers: WorkersOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Decide every pair of a version's operations, and tell what breaks as root causes with their repairs."""
    from mailrace.cli.progress import Teller
    from mailrace.cli.screen import Screen
    from mailrace.cli.show import write_json
    from mailrace.history import make_latest, new_folder
    from mailrace.model.errors import Interrupted, UsageError
    from mailrace.report import to_json
    from mailrace.report.survey import lines_of
    from mailrace.studies.survey.whole import Asked
    from mailrace.studies.survey.whole import survey as surveyed
    from mailrace.targets import parse_target

    if state is not None and out is not None:
        raise UsageError("--out: with --state the survey is written into that folder; give one of the two")
    by = Workers(workers)
    request = asked(target, out=out, time_limit_s=time_limit, mode="steer")
    # With `--from` both versions are surveyed, the older one first, by the same mailrace on the same machine.
    targets = [*([parse_target(before)] if before else []), request.target]
    few, command_line = tuple(only or ()), request.command
    wanted = Asked(target=targets[0], only=few, time_limit_s=time_limit, command=command_line, actors=actors)
    # With `--from` each version has a folder of its own within the whole one.
    teller = Teller(scenarios=len(targets), quiet=quiet or as_json)
    whole = state or new_folder(request.output.reports, f"survey-{request.target}", out=request.output.out)
    found = []
    try:
        with by.open(teller) as campaign:
            for one in targets:
                folder = whole / str(one).replace("/", "-").replace(":", "-") if before else whole
                decider = decided_by(campaign, request, whole)
                found.append(surveyed(replace(wanted, target=one), folder, teller.said, decider))
    except Interrupted as end:
        teller.note(f"interrupted; what was found is in {end.folder}; go on with --state {whole}")
        raise typer.Exit(130) from None
    finally:
        teller.close()
    if state is None:
        make_latest(whole)
    if as_json:
        write_json(to_json(found[-1]))
    else:
        screen = Screen()
        for line in (*lines_of(found[-1]), *_compared(found, before)):
            screen.line(line)
        screen.line(f"{whole}/survey.html" if not before else f"{whole}/")
    raise typer.Exit(_status(found[-1], Harm[harm.upper()]))


def _compared(found: "list[Survey]", before: str | None) -> Iterator[str]:
    """The lines of the comparison; none without an older version."""
    from mailrace.studies.survey import compare

    if before:
        old, new = found
        yield from compare.lines_of(compare.compare(old, new), old.target.name, new.target.name)


def _status(found: "Survey", least: Harm) -> int:
    """The exit status. 1: a cause of that harm or worse was shown; 3: something is undecided; 0: neither."""
    from mailrace.model.survey import PairVerdict, TripleVerdict

    causes = (*found.causes, *(found.three.causes if found.three else ()))
    if any(one.fate == "realised" and is_at_least(one.harm, least) for one in causes):
        return 1
    is_open = any(one.verdict is PairVerdict.INCONCLUSIVE for one in found.pairs) or not found.is_whole
    if found.three is not None:
        # What is predicted is no PASS, and a cause that only three servers showed decides nothing of one.
        decided = (TripleVerdict.PASS, TripleVerdict.AS_PAIRS, TripleVerdict.NOT_APPLICABLE)
        is_open = is_open or found.three.left > 0
        is_open = is_open or any(one.verdict not in decided for one in found.three.triples)
    return 3 if is_open else 0
