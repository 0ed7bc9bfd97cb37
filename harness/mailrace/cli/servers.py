"""`mailrace targets`, `install`, `doctor`, `serve`: the servers that can be had here."""

import os
import shutil
import sys
from typing import Annotated

import typer

from mailrace.cli.app import app


@app.command()
def targets() -> None:
    """List the targets that can be had here without installing, and how each version is known."""
    from rich.table import Table

    from mailrace.cli.show import console
    from mailrace.targets import targets_at_hand

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("target", "version", "known by", "from"):
        shown.add_column(column, overflow="fold")
    for one in targets_at_hand():
        shown.add_row(one.name, one.version, str(one.source), one.place)
    console(on_stdout=True).print(shown)


@app.command()
def install(
    target: Annotated[str, typer.Argument(help="mailpit@VERSION")],
) -> None:
    """Install a real Mailpit into the cache: its release archive, else built by Go."""
    from mailrace.model.errors import UsageError
    from mailrace.targets import parse_target
    from mailrace.targets.mailpit import install as install_version

    wanted = parse_target(target)
    if wanted.kind != "mailpit":
        raise UsageError(f"{target}: only mailpit@VERSION can be installed, as in mailpit@1.30.5")
    print(install_version(wanted.version, progress=lambda said: print(said, file=sys.stderr)))


@app.command()
def doctor() -> None:
    """Say what is there, what is missing, and what that means."""
    import platform

    from mailrace.targets import targets_at_hand

    cpus = os.cpu_count() or 1
    said = [
        ("Python", platform.python_version(), "at least 3.11 is needed"),
        (
            "system",
            platform.system(),
            "everything works"
            if sys.platform == "linux"
            else "steer's quiet is a stated wait instead of a look at threads",
        ),
        (
            "CPUs",
            str(cpus),
            "races show" if cpus > 1 else "one CPU hides races: steer, or read INCONCLUSIVE as such",
        ),
        (
            "Go",
            shutil.which("go") or "missing",
            "real versions of Mailpit can be built"
            if shutil.which("go")
            else "real versions only from release archives, MAILPIT_BIN or MAILRACE_MAILPIT_DIR",
        ),
        (
            "MAILRACE_MAILPIT_DIR",
            os.environ.get("MAILRACE_MAILPIT_DIR", "not set"),
            "a folder of binaries named mailpit-VERSION; the truly vulnerable 1.17.0 goes there",
        ),
    ]
    for what, value, meaning in said:
        print(f"{what:22}{value}\n{'':22}{meaning}")
    print("targets at hand:")
    for one in targets_at_hand():
        print(f"  {one.name:20} {one.version} ({one.source})")


@app.command()
def serve(
    target: Annotated[str, typer.Argument(help="embedded[@VERSION]")] = "embedded@1.17.0",
    smtp: Annotated[str, typer.Option(help="HOST:PORT of SMTP; port 0: any free one.")] = "127.0.0.1:1025",
    listen: Annotated[str, typer.Option(help="HOST:PORT of the REST API.")] = "127.0.0.1:8025",
    database: Annotated[
        str | None, typer.Option(help="SQLite file to keep; default: a temporary one.")
    ] = None,
) -> None:
    """Run an embedded version in the foreground, for anyone's client, with its log; Ctrl-C ends it."""
    from mailrace.model.errors import UsageError
    from mailrace.targets import parse_target

    wanted = parse_target(target)
    if wanted.kind != "embedded":
        raise UsageError(f"{target}: only an embedded version can be served, as in embedded@1.17.0")
    module = [sys.executable, "-m", "mailrace.embedded", "--version-of", wanted.version]
    place = ["--smtp", smtp, "--listen", listen, *(["--database", database] if database else [])]
    os.execv(sys.executable, module + place)  # it is the foreground process from here on
