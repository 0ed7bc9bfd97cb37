"""The command line's thin edge: `main` runs `mailrace`, and turns errors into sentences and exit statuses.

What was asked for goes to stdout, how it goes on to stderr. Every import that
costs is made inside the command that needs it, so that `--help` stays quick.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def command() -> "typer.Typer":
    """The command `mailrace` with all its sub-commands, which add themselves as they are imported."""
    from mailrace.cli import (  # noqa: F401
        bisecting,
        gate,
        racing,
        reporting,
        scenarios,
        servers,
        studies,
        watching,
    )
    from mailrace.cli.app import app

    return app


def main() -> None:
    """Run the command `mailrace` with the process's arguments; never returns."""
    from mailrace.model.errors import Interrupted, MailraceError, ScenarioError

    app = command()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status = app(standalone_mode=False)
    except MailraceError as wrong:
        from mailrace.verdict import exit_status_of

        if isinstance(wrong, ScenarioError):
            print(wrong, file=sys.stderr)
        else:
            print(f"mailrace: {wrong}", file=sys.stderr)
        status = exit_status_of(wrong)
    except Interrupted as end:
        status = 130
        _say_what_there_is(end.folder)
    except (KeyboardInterrupt, SystemExit) as end:
        status = 130 if isinstance(end, KeyboardInterrupt) else end.code
    except BrokenPipeError:
        status = 141  # as a shell says of a program that SIGPIPE ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as wrong:
        status = _status_of(wrong)
    sys.exit(status)


def _say_what_there_is(folder: Path) -> None:
    """What an interrupted run had found, from its journal, and how to see it."""
    from mailrace.model.errors import MailraceError
    from mailrace.recover import result_of

    try:
        seen = [f"{one.name}: {one.hits} hits in {one.rounds} rounds" for one in result_of(folder).scenarios]
    except MailraceError as wrong:
        seen = [str(wrong)]
    print("mailrace: interrupted; " + "; ".join(seen), file=sys.stderr)
    print(f"mailrace: to see it: mailrace report {folder}", file=sys.stderr)


def _status_of(wrong: Exception) -> int:
    """2 for what typer says of options; 4 and a sentence for a bug of ours, its traceback with it."""
    import typer

    if isinstance(wrong, typer.Abort):
        return 130
    if isinstance(wrong, typer.Exit):
        return int(wrong.exit_code)
    # The class that typer's usage errors share has no public name.
    usage_error = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    if isinstance(wrong, usage_error):
        wrong.show()  # type: ignore[attr-defined]
        return 2
    import traceback

    traceback.print_exception(wrong)
    print("mailrace: a bug of mailrace, not of yours; please report it with the lines above", file=sys.stderr)
    return 4


def _terminated(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


__all__ = ["main"]
