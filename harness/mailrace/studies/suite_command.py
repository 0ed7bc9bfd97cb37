"""Runs a suite's command as without us, but with the recorder's addresses; gives its exit status."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from mailrace.model.errors import UsageError

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a recording, besides Ctrl-C."""
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

    Without a command, wait for Ctrl-C, TERM or HUP, after each of which the record is finished; there is no
    status then.
    """
    if not command:
        with suppress(KeyboardInterrupt), _handled(signal.default_int_handler, *ENDS):
            signal.pause()
        return None
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        """TERM and HUP are for the command. INT reaches it by itself, from the terminal."""
        if number == signal.SIGINT:
            return
        if started:
            started[0].send_signal(number)
        else:
            early.append(number)

    # The command is not there yet when a signal for it may come: it would run on after us.
    with _handled(pass_on, signal.SIGINT, *ENDS):
        try:
            started.append(subprocess.Popen(command, env=os.environ | told))
        except OSError as wrong:
            raise UsageError(f"{command[0]}: {wrong.strerror}; give a command that can be run") from None
        for number in early:
            started[0].send_signal(number)
        status = started[0].wait()
    return 128 - status if status < 0 else status


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None], *numbers: signal.Signals) -> Iterator[None]:
    """While it lasts, these signals have that handler, but for those that are ignored, as under nohup."""
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {number: held for number, held in before.items() if held is not signal.SIG_IGN}
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, held in taken.items():
            signal.signal(number, held)
