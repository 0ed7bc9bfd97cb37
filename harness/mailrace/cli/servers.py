"""`mailrace targets`, `install`, `doctor`, `serve`: the servers that are available here."""

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from mailrace.cli.app import command
from mailrace.cli.completion import target_names


@command
def targets() -> None:
    """List the servers that can be looked at here without installing, and how each version is known."""
    from mailrace.cli.screen import Screen
    from mailrace.targets import targets_at_hand

    rows = [(one.name, one.version, str(one.source), one.place) for one in targets_at_hand()]
    Screen().table(("target", "version", "known by", "from"), rows)


@command
def install(
    target: Annotated[str, typer.Argument(metavar="mailpit@VERSION", help="The release to install.")],
) -> None:
    """Install a real Mailpit into the cache: its release archive, else built by Go."""
    from mailrace.cli.screen import Screen
    from mailrace.model.errors import UsageError
    from mailrace.targets import parse_target
    from mailrace.targets.mailpit import install as install_version

    wanted = parse_target(target)
    if wanted.kind != "mailpit":
        raise UsageError(f"{target}: only mailpit@VERSION can be installed, as in mailpit@1.30.5")
    said = Screen(sys.stderr)
    place = install_version(wanted.version, progress=said.text)
    said.text(f"{target} is installed; try: mailrace steer shared-new-tag --target {target}")
    Screen().line(str(place))


@command
def doctor() -> None:
    """Say what is there, what is missing, and what that means."""
    from mailrace.cli.screen import Screen
    from mailrace.targets import targets_at_hand

    screen = Screen()
    for what, value, meaning in _findings():
        screen.line(f"{what}: {value}")
        screen.text(meaning, indent="    ")
    screen.line("Servers at hand (`mailrace targets` says where each of them is):")
    # A program may be at hand in several places.
    for line in dict.fromkeys(f"{one.name}: {one.version} ({one.source})" for one in targets_at_hand()):
        screen.text(line, indent="    ")
    screen.text("Next: mailrace steer shared-new-tag --target embedded@1.17.0")


def _findings() -> Iterator[tuple[str, str, str]]:
    """(what, its value here, what that means)."""
    import platform

    yield "Python", platform.python_version(), "At least 3.11 is needed."
    is_linux = sys.platform == "linux"
    meaning = (
        "Everything works."
        if is_linux
        else "Steer cannot see whether threads sleep, so it waits for a stated time."
    )
    yield "System", platform.system(), meaning
    # A native race needs two threads of the server at the same instant, and so two CPUs.
    cpus = os.cpu_count() or 1
    many = "Races can show natively."
    one = "With one CPU most races do not show natively: use steer."
    yield "CPUs", str(cpus), many if cpus > 1 else one
    go = shutil.which("go")
    built = "Real versions of Mailpit can be built."
    none = "Real versions come only from release archives, MAILPIT_BIN or MAILRACE_MAILPIT_DIR."
    yield "Go", go or "missing", built if go else none
    folder = os.environ.get("MAILRACE_MAILPIT_DIR", "not set")
    yield (
        "MAILRACE_MAILPIT_DIR",
        folder,
        "A folder of Mailpits of your own, each a program named mailpit-VERSION.",
    )


@command
def serve(
    target: Annotated[
        str,
        typer.Argument(metavar="embedded@VERSION", autocompletion=target_names, help="What to run."),
    ] = "embedded@1.17.0",
    smtp: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where SMTP listens; port 0 is any free one.")
    ] = "127.0.0.1:1025",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the REST API listens.")
    ] = "127.0.0.1:8025",
    database: Annotated[
        str | None, typer.Option(metavar="FILE", help="SQLite file to keep; default: a temporary one.")
    ] = None,
) -> None:
    """Run an embedded version in the foreground, for anyone's client, with its log; Ctrl-C ends it."""
    from mailrace.model.errors import UsageError
    from mailrace.targets import parse_target

    wanted = parse_target(target)
    if wanted.kind != "embedded":
        raise UsageError(f"{target}: only an embedded version can be served, as in embedded@1.17.0")
    # Without -P modules that lie in the user's folder would be run for ours.
    module = [sys.executable, "-P", "-m", "mailrace.embedded", "--version-of", wanted.version]
    place = ["--smtp", smtp, "--listen", listen, *(["--database", database] if database else [])]
    os.execv(sys.executable, module + place)  # it is the foreground process from here on
