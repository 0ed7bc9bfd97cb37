"""The versions that there are, and what sets them apart where it matters to a race.

Smaller differences stand where they are made, as `version.since(1, 19)`: the release that brought them. Where
that release is not known exactly, it is the first of ours that has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class TagWriting(Enum):
    """How a tag that may not exist yet comes into being."""

    CHECK_THEN_INSERT = "select, then insert"
    """Issue 283: two of them insert the same name."""
    UNDER_A_MUTEX = "the same under a mutex of the process"
    INSERT_OR_IGNORE = "insert or ignore, then select"


class ReadFlags(Enum):
    """How messages are marked read or unread."""

    LOOK_FIRST = "one by one, after asking whether it is unread"
    ONE_BY_ONE = "one by one"
    TOGETHER = "select those that change, then change them together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version: `number` is that of its release.

    is_fixed   each operation is one transaction with all its causes and effects, and no race is left;
               everything else is as in the newest release
    """

    name: str
    number: tuple[int, int, int]
    is_fixed: bool = False

    def since(self, *number: int) -> bool:
        """Whether it is that release or a later one."""
        return self.number >= number

    @property
    def tags(self) -> TagWriting:
        """How tags are written."""
        if self.since(1, 30):
            return TagWriting.INSERT_OR_IGNORE
        return TagWriting.UNDER_A_MUTEX if self.since(1, 17, 1) else TagWriting.CHECK_THEN_INSERT

    @property
    def handles_tags_together(self) -> bool:
        """Lists fetch the tags of a page at once, and the tags of a message are removed at once."""
        return self.since(1, 30)

    @property
    def hears_that_a_tag_is_there(self) -> bool:
        """Older ones ask for a tag of a message before they add it, and do not read the answer."""
        return self.since(1, 27)

    @property
    def read_flags(self) -> ReadFlags:
        """How read flags are changed."""
        if self.since(1, 30):
            return ReadFlags.TOGETHER
        return ReadFlags.ONE_BY_ONE if self.since(1, 27) else ReadFlags.LOOK_FIRST

    @property
    def hangs_on_stale_ids(self) -> bool:
        """Issue 723: a repeated or stale ID beside a live one, and the one connection never comes back."""
        return not self.since(1, 30, 7)

    @property
    def keeps_failed_envelope(self) -> bool:
        """After a refused DATA the old envelope is still there, and is what the next mail is sent with."""
        return not self.is_fixed

    @property
    def refuses_mail_out_of_sequence(self) -> bool:
        """MAIL is refused before a greeting, and while there are recipients of an earlier MAIL."""
        return self.since(1, 28, 4)


_RELEASED = ("1.17.0", "1.17.1", "1.27.11", "1.30.5", "1.33.1")


def _released(name: str) -> Version:
    major, minor, patch = (int(part) for part in name.split("."))
    return Version(name=name, number=(major, minor, patch))


VERSIONS: Mapping[str, Version] = {
    "fixed": Version(name="fixed", number=_released(_RELEASED[-1]).number, is_fixed=True),
    **{name: _released(name) for name in _RELEASED},
}
"""What may stand after `embedded@`."""
