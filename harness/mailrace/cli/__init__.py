"""The command line's thin edge: `main` runs `mailrace`, and turns errors into sentences and exit statuses.

Results go to stdout, progress goes to stderr. An import that takes time is made inside of the command that
needs it, so that `--help` stays quick.
"""

import errno
import io
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a command as Ctrl-C does: with what there was, and nothing left behind."""
_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
"""A full or broken disk, or a limit of the machine: the server did not cause it, and it is no bug of ours."""
_NAMES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM)
"""A path on the command line that cannot be opened, or that we must not open."""


def command() -> "typer.Typer":
    """The command `mailrace` with all its sub-commands, which add themselves as they are imported."""
    from mailrace.cli import (  # noqa: F401
        bisecting,
        cleaning,
        gate,
        racing,
        recording,
        reporting,
        scenarios,
        servers,
        studies,
        survey,
        watching,
    )
    from mailrace.cli.app import app

    return app


def main() -> None:
    """Run the command `mailrace` with the process's arguments; never returns."""
    try:
        status = _run()
    except KeyboardInterrupt:  # before the command began, or once more while was said what there is
        status = 130
    # What is left is to let go of what is ours, in an instant: a signal more would leave some of it behind.
    for number in (signal.SIGINT, *ENDS):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(status)


def _run() -> str | int | None:
    """Run the command; the status that it ends with."""
    from mailrace.model.errors import Interrupted, MailraceError, ScenarioError

    _open_what_is_closed()
    for number in ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale that lacks a character shows its escape
            stream.reconfigure(errors="backslashreplace")
    status: str | int | None
    try:
        status = command()(standalone_mode=False)
        sys.stdout.flush()
    except MailraceError as wrong:
        from mailrace.cli.screen import shown
        from mailrace.verdict import exit_status_of

        own = "" if isinstance(wrong, ScenarioError) else "mailrace: "
        print(f"{own}{shown(str(wrong))}", file=sys.stderr)
        status = exit_status_of(wrong)
    except Interrupted as end:
        status = 130
        _say_what_there_is(end.folder)
    except (KeyboardInterrupt, SystemExit) as end:
        status = 130 if isinstance(end, KeyboardInterrupt) else end.code
        if isinstance(end.__context__, BrokenPipeError):
            status = _unread()  # typer ends with 1 then, which would say that there is a race
    except BrokenPipeError:
        status = _unread()
    except Exception as wrong:
        status = _status_of(wrong)
    return status


def _say_what_there_is(folder: Path) -> None:
    """Say what an interrupted run has found, by its journal, and how to see it."""
    from mailrace.cli.screen import Screen
    from mailrace.model.errors import MailraceError
    from mailrace.recover import looked_up
    from mailrace.studies.rendering import told_of

    try:
        found, runs = looked_up(folder)
        seen = [text for run, result in runs.items() for text in told_of(found.folder, run, result)]
    except MailraceError as wrong:
        seen = [str(wrong)]
    screen = Screen(sys.stderr)
    screen.block("\n".join(["mailrace: interrupted; found until then:", *(f"  {text}" for text in seen)]))
    screen.line(f"mailrace: to see it: mailrace report {folder}")


def _status_of(wrong: Exception) -> int:
    """The status for an error that is none of ours. For a bug it is 4, after a sentence and the traceback."""
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
    if isinstance(wrong, FileNotFoundError) and not _is_somewhere():
        print("mailrace: the folder in which it was called is gone; call it in another", file=sys.stderr)
        return 2
    if isinstance(wrong, OSError) and wrong.errno in _NAMES:
        from mailrace.report.words import legible

        print(
            f"mailrace: {legible(str(wrong.filename), 80)}: {wrong.strerror}; name another", file=sys.stderr
        )
        return 2
    if isinstance(wrong, OSError) and wrong.errno in _MACHINE:
        where = wrong.filename or "what was to be written, such as standard output"
        print(f"mailrace: {where}: {wrong.strerror}; the server did not cause that", file=sys.stderr)
        _write_no_more()
        return 4
    import traceback

    from mailrace.report.words import harmless

    # It may quote a stranger's file, as all that is printed.
    print(harmless("".join(traceback.format_exception(wrong))), file=sys.stderr)
    print("mailrace: a bug of mailrace, not of yours; please report it with the lines above", file=sys.stderr)
    return 4


def _is_somewhere() -> bool:
    """Whether the folder in which the command was called is still there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _open_what_is_closed() -> None:
    """Open /dev/null for each standard stream that the caller has closed (`>&-`), for which Python has None.

    Each gets the lowest free number, so the order matters. Without this a file of a run could be number 1 or
    2.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _unread() -> int:
    """The status where nobody reads what is printed, as a shell says of a program that SIGPIPE ended."""
    _write_no_more()
    return 141


def _write_no_more() -> None:
    """Throw away what Python still holds for stdout.

    To write it would fail at exit, which then ends with 120.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminated(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


__all__ = ["main"]
