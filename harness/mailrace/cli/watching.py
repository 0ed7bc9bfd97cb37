"""`mailrace watch`: reports known signatures in a server's log as they appear, with what each means."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli.app import command
from mailrace.cli.completion import target_names
from mailrace.cli.options import finite

if TYPE_CHECKING:
    from contextlib import ExitStack

    from mailrace.cli.screen import Screen
    from mailrace.studies.watch import Tail, Watch

SecondsOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", min=0.1, callback=finite, help="End after this many seconds; default: at Ctrl-C."
    ),
]
LinesOption = Annotated[
    int,
    typer.Option(
        "--lines", metavar="N", min=1, max=1_000_000, help="Print at most this many lines; all are counted."
    ),
]
POLL_S = 0.2


@command
def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="LOGFILE|TARGET",
            autocompletion=target_names,
            help="A log file or a pipe (/dev/stdin), or mailpit@VERSION to start one.",
        ),
    ],
    once: Annotated[
        bool, typer.Option("--once", help="Read what is there and end, for CI; 1 if anything is known.")
    ] = False,
    new_only: Annotated[bool, typer.Option("--new-only", help="Only what is written from now on.")] = False,
    seconds: SecondsOption = None,
    shown_max: LinesOption = 200,
) -> None:
    """Report the signatures of known races in a server's log as they appear, with what each means.

    Exit status: 1 a known signature was seen, 0 none was, 3 (with --once) no line was Mailpit's. A quiet log
    is no PASS: races that leave no line are seen only by run, steer and gate.
    """
    from contextlib import ExitStack

    from mailrace.cli.screen import Screen
    from mailrace.studies.watch import Tail, Watch
    from mailrace.verdict import ExitStatus

    screen, progress, looked = Screen(), Screen(sys.stderr), Watch()
    with ExitStack() as stack:
        path, told = _log_of(source, stack, once)
        tail = Tail(path, from_end=new_only and not once)
        stack.callback(tail.close)
        try:
            if told:
                progress.line(told)
            # What comes through a pipe is there when the pipe has ended.
            for text in _texts(tail, 0.0 if once and not tail.is_stream else seconds):
                _look(looked, text, path, screen, shown_max)
        except KeyboardInterrupt:
            if once:
                raise
    _conclude(looked, screen, shown_max)
    # An empty file, or another program's, is no clean log.
    clean = ExitStatus.INCONCLUSIVE if once and not looked.of_mailpit else ExitStatus.PASS
    raise typer.Exit(int(ExitStatus.RACE if looked.counts else clean))


def _look(looked: "Watch", text: str, path: Path, screen: "Screen", shown_max: int) -> None:
    """Look at one line, and show it if it is known and not too many were shown already."""
    seen = looked.look(text)
    if seen is not None and looked.counts.total() <= shown_max:
        screen.line(f"{path.name}:{seen.number}: {seen.known.explains}: {seen.text}")
        screen.text(seen.known.meaning, indent="    ")


def _conclude(looked: "Watch", screen: "Screen", shown_max: int) -> None:
    """Say how many lines were known, what each kind means for a user, and what a quiet log does not tell."""
    from mailrace.cli.show import end_with
    from mailrace.report.conclusion import Command, Conclusion, Seen, explained

    known = looked.counts.total()
    if known > shown_max:
        screen.text(f"{known - shown_max} more lines with a known signature were counted, not shown.")
    counted = [f"{looked.lines} lines read, {known} with a known signature."]
    counted += [f"{count} × {meaning}" for meaning, count in looked.counts.most_common()]
    if not known and not looked.of_mailpit:
        counted.append("None of them is a line of Mailpit's log: is this the file, and was it written to?")
    elif not known:
        counted.append("That is no PASS: some races leave no line in the log.")
    seen = [Seen(anomaly=name, scenario="the log", version="") for name in looked.explained]
    steer = Command(
        purpose="To look at the server itself", text="mailrace steer shipped --target mailpit@VERSION"
    )
    told = Conclusion(counted=tuple(counted), explained=explained(seen), commands=(steer,))
    end_with(screen, None, told)


def _texts(tail: "Tail", seconds: float | None) -> Iterator[str]:
    import time

    ends = None if seconds is None else time.monotonic() + seconds
    while True:
        yield from tail.lines()
        if tail.is_over or (ends is not None and time.monotonic() >= ends):
            yield from tail.last()
            return
        time.sleep(POLL_S)


def _log_of(source: str, stack: "ExitStack", once: bool) -> tuple[Path, str]:
    """The log file that is meant; a target of ours is started for it, and a line says where it listens."""
    import tempfile

    from mailrace.model.errors import UsageError
    from mailrace.model.operation import ServerOptions
    from mailrace.targets import open_target, parse_target

    if Path(source).exists() or not ("@" in source or source.startswith(("mailpit", "embedded", "http"))):
        return Path(source), ""
    wanted = parse_target(source)
    if wanted.kind == "url":
        raise UsageError(f"{source}: its log cannot be read over its ports; give its log file")
    if once:
        raise UsageError(f"{source}: --once reads a log file that is there; a server's log begins empty")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailrace-watch-")))
    target = open_target(wanted, ServerOptions(), folder=folder)
    stack.callback(target.stop)
    target.start()
    where = target.addresses
    log = folder / "server.log"
    log.touch()
    return log, f"{source}: SMTP {where.smtp_place}, API {where.api}; Ctrl-C ends it"
