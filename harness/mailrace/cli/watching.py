"""`mailrace watch`: the known signatures in a server's log as they appear, with what each means."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailrace.cli.app import app

if TYPE_CHECKING:
    from contextlib import ExitStack

    from mailrace.studies.watch import Tail

POLL_S = 0.2


@app.command()
def watch(
    source: Annotated[
        str, typer.Argument(metavar="LOGFILE|TARGET", help="A log file, or mailpit@VERSION to start one.")
    ],
    once: Annotated[
        bool, typer.Option("--once", help="Read what is there and end, for CI; 1 if anything is known.")
    ] = False,
    new_only: Annotated[bool, typer.Option("--new-only", help="Only what is written from now on.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="End after so long; default: at Ctrl-C.")
    ] = None,
    shown_max: Annotated[
        int, typer.Option("--lines", min=1, max=1_000_000, help="Print at most so many lines; count all.")
    ] = 200,
) -> None:
    """Report the signatures of known races in a server's log as they appear, with what each means.

    Exit status: 1 a known signature was seen, 0 none was. A quiet log is no PASS: races that leave no line
    are seen only by run, steer and gate.
    """
    from contextlib import ExitStack

    from mailrace.cli.show import console
    from mailrace.verdict import ExitStatus

    out = console()
    with ExitStack() as stack:
        path, told = _log_of(source, stack, once)
        from mailrace.studies.watch import Tail, Watch

        tail = Tail(path, from_end=new_only and not once)
        stack.callback(tail.close)
        looked, shown = Watch(), 0
        try:
            if told:
                out.print(told, markup=False)
            for text in _texts(tail, once=once, seconds=seconds):
                seen = looked.look(text)
                if seen is None:
                    continue
                shown += 1
                if shown <= shown_max:
                    print(f"{path.name}:{seen.number}: {seen.known.explains}: {seen.text}", flush=True)
                    print(f"    {seen.known.meaning}", flush=True)
        except KeyboardInterrupt:
            if once:
                raise
        if shown > shown_max:
            out.print(f"{shown - shown_max} more lines with a known signature were counted, not shown")
        for meaning, count in looked.counts.most_common():
            out.print(f"{count} × {meaning}", markup=False)
        out.print(f"{looked.lines} lines read, {shown} with a known signature", markup=False)
        raise typer.Exit(int(ExitStatus.RACE if shown else ExitStatus.PASS))


def _texts(tail: "Tail", *, once: bool, seconds: float | None) -> Iterator[str]:
    import time

    ends = None if seconds is None else time.monotonic() + seconds
    while True:
        yield from tail.lines()
        if once or (ends is not None and time.monotonic() > ends):
            yield from tail.last()
            return
        time.sleep(POLL_S)


def _log_of(source: str, stack: "ExitStack", once: bool) -> tuple[Path, str]:
    """The log file that is meant, and of a target of ours, which is started here, where it listens."""
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
    target = open_target(source, ServerOptions(), folder=folder)
    stack.callback(target.stop)
    target.start()
    where = target.addresses
    log = folder / "server.log"
    log.touch()
    return log, f"{source}: SMTP {where.smtp_host}:{where.smtp_port}, API {where.api}; Ctrl-C ends it"
