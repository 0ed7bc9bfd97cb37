"""`mailrace record`: a recorder between a suite and its Mailpit, and what its traffic shows."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailrace.cli import options
from mailrace.cli.app import command
from mailrace.cli.defaults import default_target, settings

if TYPE_CHECKING:
    from mailrace.record.findings import Findings

LOUD = (
    "--keep-content: THE MAILS THEMSELVES ARE KEPT in {folder}/contents, and replies word by word in "
    "record.jsonl: passwords, links and addresses in them can be read by whoever gets this folder. "
    "Do not pass it on."
)


place_option = partial(typer.Option, rich_help_panel="Where to listen")

SuiteArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- COMMAND…]", help="The suite's command; default: record until Ctrl-C."),
]
SmtpOption = Annotated[str, place_option(metavar="HOST:PORT", help="For SMTP; port 0: a free one.")]
HttpOption = Annotated[str, place_option(metavar="HOST:PORT", help="For HTTP; port 0: a free one.")]
Pop3Option = Annotated[str, place_option(metavar="HOST:PORT", help="For POP3; port 0: a free one.")]
Pop3ServerOption = Annotated[
    str | None,
    place_option(
        metavar="HOST:PORT",
        help="Where POP3 of a server that is not ours listens; default: it is not recorded.",
    ),
]
EnvOption = Annotated[
    list[str] | None,
    place_option(
        metavar="NAME=VALUE",
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
        help="Steer the overlaps that occurred for this many minutes in all; 0: not at all.",
    ),
]
KeepOption = Annotated[
    bool,
    typer.Option(
        "--keep-content", help="Keep the mails themselves, too: whoever has the folder can read them."
    ),
]
FailOnOption = Annotated[
    Literal["happened", "hazards"],
    typer.Option(metavar="WHAT", help="What ends with status 1: happened, or hazards too."),
]


@command
def record(
    suite: SuiteArgument = None,
    target: options.TargetOption = None,
    smtp: SmtpOption = "127.0.0.1:0",
    http: HttpOption = "127.0.0.1:0",
    pop3: Pop3Option = "127.0.0.1:0",
    pop3_server: Pop3ServerOption = None,
    env: EnvOption = None,
    minutes: MinutesOption = 2.0,
    fail_on: FailOnOption = "happened",
    keep_content: KeepOption = False,
    out: options.OutOption = None,
) -> None:
    """Record a suite's traffic: what raced, what could have, and what the suite does to itself.

    The command is told where to connect by SMTP_HOST, SMTP_PORT, MAILPIT_URL, MAILRACE_SMTP, MAILRACE_HTTP
    and, for POP3, MAILRACE_POP3, POP3_HOST, POP3_PORT, POP3_USER, POP3_PASSWORD.

    Exit status: the command's own where it failed; else 1 where the server broke a promise, 3 where not all
    could be looked at, 0 where all was and nothing was seen.
    """
    from mailrace.cli.screen import Screen
    from mailrace.history import InUse, make_latest, new_folder, prune
    from mailrace.model.request import KEPT
    from mailrace.model.target_name import parse_target
    from mailrace.report.recorded import write_record
    from mailrace.studies.pairs import steer_overlaps
    from mailrace.studies.recording import RecordRequest
    from mailrace.studies.recording import record as run_recorder

    request = RecordRequest(
        target=parse_target(default_target() if target is None else target),
        command=tuple(suite or ()),
        smtp=_address("--smtp", smtp),
        http=_address("--http", http),
        pop3=_address("--pop3", pop3),
        pop3_server=_address("--pop3-server", pop3_server) if pop3_server else None,
        variables=dict(_variable(one) for one in env or ()),
        keeps_content=keep_content,
        made_by=("mailrace", *sys.argv[1:]),
    )
    reports = Path(settings().reports)
    folder = new_folder(reports, f"record-{request.target}", out=out)
    # The suite writes to stdout. What mailrace says meanwhile goes to stderr.
    progress = Screen(sys.stderr)
    if keep_content:
        progress.text(LOUD.format(folder=folder), style="bold red")
    found = run_recorder(request, folder, progress.line)
    in_use = InUse(folder)
    make_latest(folder)
    if out is None and (removed := prune(reports, settings().keep or KEPT)):
        progress.text(removed)
    found = steer_overlaps(found, request.target, folder, 60 * minutes, progress.text)
    write_record(found, folder)
    in_use.let_go()
    show_record(found, folder)
    # The suite's own failure counts most, because a CI job must see the status that it would see without
    # mailrace.
    raise typer.Exit(found.status(counts_hazards=fail_on == "hazards"))


def show_record(found: "Findings", folder: Path) -> None:
    """Say what was found."""
    from mailrace.cli.screen import Screen
    from mailrace.report.recorded import lines_of

    screen = Screen()
    for line in lines_of(found):
        screen.text(line)
    if found.keeps_content:
        screen.text(LOUD.format(folder=folder), style="bold red")
    screen.line(f"report: {folder}/report.html")


def _address(option: str, text: str) -> tuple[str, int]:
    from mailrace.model.errors import UsageError

    host, colon, port = text.rpartition(":")
    try:
        host.encode("idna")  # as it is looked up: no part is empty or too long, and none reorders the line
    except UnicodeError:
        host = ""
    if not colon or not host or not port.isdecimal() or int(port[:6]) > 65535:
        raise UsageError(f"{option} {text}: wanted HOST:PORT, such as 127.0.0.1:2025")
    return host.strip("[]"), int(port)


def _variable(text: str) -> tuple[str, str]:
    from mailrace.model.errors import UsageError

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--env {text}: wanted NAME=VALUE, such as APP_SMTP={{smtp}}")
    return name, value
