"""Runs a suite's command as without us, but with the recorder's addresses; gives its exit status."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from mailrace.model.errors import UsageError

TOLD: Mapping[str, str] = {
    "MAILRACE_SMTP": "{smtp}",
    "MAILRACE_HTTP": "{http}",
    "SMTP_HOST": "{smtp_host}",
    "SMTP_PORT": "{smtp_port}",
    "MAILPIT_URL": "{http}",
}
TOLD_POP3: Mapping[str, str] = {
    "MAILRACE_POP3": "{pop3}",
    "POP3_HOST": "{pop3_host}",
    "POP3_PORT": "{pop3_port}",
    "POP3_USER": "{pop3_user}",
    "POP3_PASSWORD": "{pop3_password}",
}
"""Told as well where POP3 is recorded; the login only where the server is ours."""


def environment_of(places: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """The variables for the command. Raises UsageError for one that asks for an unknown place."""
    told = {
        **TOLD,
        **{name: form for name, form in TOLD_POP3.items() if form.strip("{}") in places},
        **variables,
    }
    try:
        return {name: value.format_map(places) for name, value in told.items()}
    except (KeyError, ValueError, IndexError) as wrong:
        there = ", ".join(f"{{{place}}}" for place in places)
        raise UsageError(f"--env: {wrong} is no place; there are {there}") from None


def run_command(command: Sequence[str], told: Mapping[str, str]) -> int | None:
    """Run the command to its end; its exit status, as a shell gives it. Ctrl-C goes to the command first.

    Without a command, wait for Ctrl-C or TERM; there is no status then.
    """
    if not command:
        with suppress(KeyboardInterrupt), _ended_by_term():
            signal.pause()
        return None
    try:
        child = subprocess.Popen(command, env=os.environ | told)
    except OSError as wrong:
        raise UsageError(f"{command[0]}: {wrong.strerror}; give a command that can be run") from None
    with _passing_on_signals(child):
        status = child.wait()
    return 128 - status if status < 0 else status


@contextmanager
def _ended_by_term() -> Iterator[None]:
    """While it lasts, TERM ends the recording as Ctrl-C does: the store is read and all is written."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _passing_on_signals(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """While the command runs, TERM is passed on to it. INT reaches it from the terminal, without us."""

    def pass_on(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT:
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
