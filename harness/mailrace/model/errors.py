"""The errors a person can meet, by whose act caused them; each has a sentence for that person.

    MailraceError
    ├── ScenarioError    the author's file; carries every mistake at once     exit 2
    ├── UsageError       an option, a name or a value on the command line     exit 2
    │   └── TargetNameError  a target's name that means nothing
    ├── TargetError      the server under test or its process                 exit 4
    │   ├── MachineTrouble   its machine or ours lacked something
    │   ├── TargetGone       a server that is not ours went away
    │   └── StoreChanged     its store changed while nothing was under way
    ├── OutputError      the disk or device that takes what we write          exit 4
    ├── ScheduleMissed   a schedule the server did not follow                 exit 3
    │   └── ScheduleDiverged   it sent another statement after the same choices
    └── InternalError    ours                                                 exit 4

`Interrupted` is the user's act and no error: exit 130. An anomaly is data, never an exception. The exit
statuses themselves stand in `mailrace.verdict.exit_status`.
"""

from dataclasses import dataclass
from pathlib import Path

from mailrace.model.secrets import without_secrets


class Interrupted(BaseException):
    """A run that Ctrl-C, SIGTERM or SIGHUP ended; `folder` holds what there was.

    It is no KeyboardInterrupt, because libraries that call us would handle that themselves.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(str(folder))


class MailraceError(Exception):
    """A failure with a sentence for the user; every other exception is a bug of ours."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in an author's file. `line` and `column` count from 1; 0 where there is no place."""

    file: str
    line: int
    column: int
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.text}" if self.path else f"{place}: {self.text}"


class ScenarioError(MailraceError):
    """A scenario file that cannot be run; `mistakes` holds all of them, in file order."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(m) for m in mistakes))


class UsageError(MailraceError):
    """An option, a target name or an environment variable that cannot be honoured."""


class TargetNameError(UsageError):
    """A target's name that means nothing.

    `shown` is the name without what stands before an `@` in a URL; `wrong` says what is wrong and wanted.
    """

    def __init__(self, name: str, wrong: str) -> None:
        head, mark, rest = name.partition("://")
        self.shown = f"{head}{mark}…@{rest.rpartition('@')[2]}" if mark and "@" in rest else name
        self.wrong = wrong
        super().__init__(f"target {self.shown!r:.300}: {wrong}")


class OutputError(MailraceError):
    """What mailrace writes cannot be written: a full disk, a folder without the right to write."""


class TargetError(MailraceError):
    """The server under test, its process or its installation failed.

    A sentence may quote the server, so our logins are taken out of it.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(without_secrets(sentence))


class MachineTrouble(TargetError):
    """The machine that a server or mailrace runs on lacked something; that says nothing of the server."""


class TargetGone(TargetError):
    """A server that is not ours went away while it was looked at: it refuses connections."""


class StoreChanged(TargetError):
    """What a server stores changed while it was looked at, though nothing was under way."""


class ScheduleMissed(MailraceError):
    """The server did not follow the schedule that was asked for."""


class ScheduleDiverged(ScheduleMissed):
    """The same choices from the same start led to another statement than before."""


class InternalError(MailraceError):
    """A state that our own code rules out."""
