"""`mailrace record`: a recorder between a suite and its Mailpit, and what its traffic shows."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.defaults import default_target, settings

if TYPE_CHECKING:
    from mailrace.record.findings import Findings

WHERE = "Where to listen"


class FailOn(StrEnum):
    """What ends a recording with status 1."""

    happened = "happened"
    hazards = "hazards"


SuiteArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- COMMAND…]", help="The suite's command; default: record until Ctrl-C."),
]
SmtpOption = Annotated[
    str, typer.Option(metavar="HOST:PORT", rich_help_panel=WHERE, help="For SMTP; port 0: a free one.")
]
HttpOption = Annotated[
    str, typer.Option(metavar="HOST:PORT", rich_help_panel=WHERE, help="For HTTP; port 0: a free one.")
]
EnvOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        rich_help_panel=WHERE,
        help="A variable for the command, such as APP_SMTP={smtp}; also {smtp_host}, {http} …",
    ),
]
MinutesOption = Annotated[
    float,
    typer.Option(
        metavar="N",
        min=0,
        max=1440,
        callback=options.finite,
        help="Steer the overlaps that occurred for so long; 0: not at all.",
    ),
]
FailOnOption = Annotated[
    FailOn, typer.Option(metavar="WHAT", help="What ends with status 1: happened, or hazards too.")
]


@command
def record(
    suite: SuiteArgument = None,
    target: options.TargetOption = None,
    smtp: SmtpOption = "127.0.0.1:0",
    http: HttpOption = "127.0.0.1:0",
    env: EnvOption = None,
    minutes: MinutesOption = 2.0,
    fail_on: FailOnOption = FailOn.happened,
    out: options.OutOption = None,
) -> None:
    """Record a suite's traffic: what raced, what could have, and what the suite does to itself.

    The command is told where to connect by SMTP_HOST, SMTP_PORT, MAILPIT_URL, MAILRACE_SMTP, MAILRACE_HTTP.

    Exit status: the command's own where it failed; else 1 where something happened, 3 where nothing could be
    looked at, 0 where nothing was seen.
    """
    from mailrace.cli.screen import Screen
    from mailrace.history import new_folder
    from mailrace.model.target_name import parse_target
    from mailrace.studies.recording import RecordRequest, steer_overlaps
    from mailrace.studies.recording import record as run_recorder

    request = RecordRequest(
        target=parse_target(default_target() if target is None else target),
        command=tuple(suite or ()),
        smtp=_address("--smtp", smtp),
        http=_address("--http", http),
        variables=dict(_variable(one) for one in env or ()),
        steer_s_max=60 * minutes,
    )
    folder = new_folder(Path(settings().get("reports", "reports")), f"record-{request.target}", out=out)
    # The suite writes to stdout, so what mailrace tells meanwhile goes to stderr.
    progress = Screen(on_stdout=False)
    done = run_recorder(request, folder, progress.line)
    found = done.findings
    if request.steer_s_max:
        found = steer_overlaps(found, request, folder, progress.text)
    _show(found, folder, done.failures)
    # The suite's own failure counts most: a CI job must see the status that it had without mailrace.
    counted = [*found.happened, *(found.hazards if fail_on is FailOn.hazards else ())]
    could_not_look = bool(done.failures) or not found.operations
    raise typer.Exit(found.child_status or (1 if counted else 3 if could_not_look else 0))


def _show(found: "Findings", folder: Path, failures: tuple[str, ...]) -> None:
    """Write the record's document and page, and say what was found."""
    from mailrace.cli.screen import Screen
    from mailrace.history.writing import write_whole
    from mailrace.report.recorded import lines_of, record_page

    write_whole(folder / "record.json", found.as_json().encode())
    write_whole(folder / "report.html", record_page(found, shlex.join(["mailrace", *sys.argv[1:]])).encode())
    screen = Screen()
    for line in (*lines_of(found), *(f"Not whole: {one}." for one in failures)):
        screen.text(line)
    screen.line(f"report: {folder}/report.html")


def _address(option: str, text: str) -> tuple[str, int]:
    from mailrace.model.errors import UsageError

    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{option} {text}: wanted HOST:PORT, such as 127.0.0.1:2025")
    return host.strip("[]"), int(port)


def _variable(text: str) -> tuple[str, str]:
    from mailrace.model.errors import UsageError

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--env {text}: wanted NAME=VALUE, such as APP_SMTP={{smtp}}")
    return name, value
