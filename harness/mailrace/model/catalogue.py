"""The races of Mailpit that are known, in one table: what each needs, which versions have it, what helps.

The conclusion of each command, the pages and `docs/races.md` are made from it and from `consequences`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailrace.model.anomaly import AnomalyName
from mailrace.model.operation import Operation
from mailrace.model.together import (
    Together,
    leftover,
    newest_beside_deletion,
    overlapping_deletions,
    overlapping_over_pop3,
    read_beside_deletion,
    read_beside_search,
    reader,
    shared_id,
    shared_tag,
    tag_beside_edit,
    two_taggers,
)

LOOKED = ("1.17.0", "1.17.1", "1.27.11", "1.30.5", "1.33.1")
"""The releases that were measured."""
NEWEST_LOOKED = LOOKED[-1]
"""Of a newer release the catalogue knows only which races an older one has mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One known race of Mailpit.

    title       what happens, as a heading
    anomalies   what it shows; the first is its mark
    first       the first version that has it; "" where every version that was looked at has it
    fixed       the first version without it; "" where none is known
    needs       what has to happen at the same time, as it follows "it needs"
    together    whether a round's operations can bring it about
    avoid       what a user can do without another version
    scenario    the shipped scenario that shows it, or ""
    source      where that is known from
    setup       what it needs that mailrace's scenarios do not set up, or ""
    """

    number: str
    title: str
    anomalies: tuple[AnomalyName, ...]
    needs: str
    together: Together
    avoid: str
    first: str = ""
    fixed: str = ""
    scenario: str = ""
    source: str = "measured"
    setup: str = ""

    def is_in(self, version: str) -> bool | None:
        """Whether that version has it; None where it is no number, or newer than what was looked at."""
        asked = _numbers(version)
        if asked is None:
            return None
        if self.first and asked < _known(self.first):
            return False
        if self.fixed:
            return asked < _known(self.fixed)
        return True if asked <= _known(NEWEST_LOOKED) else None

    @property
    def versions(self) -> str:
        """The versions that have it, in words: `from 1.12.0 on, mended in 1.17.1`."""
        begin = f"from {self.first} on" if self.first else "in every version that was looked at"
        if self.fixed:
            return f"{begin}, mended in {self.fixed}"
        return f"{begin}, still there in {NEWEST_LOOKED}"


_A = AnomalyName

RACES: tuple[Race, ...] = (
    Race(
        number="S1",
        title="Parallel senders share a new tag",
        anomalies=(_A.REJECTED_BUT_STORED,),
        first="1.12.0",
        fixed="1.17.1",
        needs="two or more mails that ask for one tag which does not exist yet, by X-Tags, by plus-address, "
        "or in upper and lower case",
        together=shared_tag,
        avoid="Store one mail with the tag before parallel senders use it.",
        scenario="shared-new-tag",
        source="Mailpit issue 283; measured on 1.17.0 and 1.17.1",
    ),
    Race(
        number="S2",
        title="A tagged mail arrives while its tag is taken away",
        anomalies=(_A.REJECTED_BUT_STORED, _A.SPURIOUS_REJECTION),
        first="1.30.0",
        needs="a tagged mail that arrives while something deletes a message or edits, renames or deletes a "
        "tag; where everything is deleted, the refused mail is gone as well",
        together=tag_beside_edit,
        avoid="Delete messages and edit tags only while no tagged mail arrives: before or after the parallel "
        "part of a test run, not during it.",
        scenario="send-delete-last-holder",
        source="measured on 1.30.5 and 1.33.1",
    ),
    Race(
        number="S3",
        title="A tagged mail loses its tag",
        anomalies=(_A.TAG_LOST,),
        first="1.12.0",
        needs="a tagged mail that arrives while a message is deleted or given other tags",
        together=tag_beside_edit,
        avoid="Delete messages and edit tags only while no tagged mail arrives. On a server that is shared, "
        "another team's clean-up is enough.",
        scenario="send-delete-last-holder",
        source="measured on 1.27.11, 1.30.5 and 1.33.1",
    ),
    Race(
        number="S4",
        title="A deletion that names a message twice, or one already gone, stops the server",
        anomalies=(_A.HANG, _A.SPURIOUS_REJECTION),
        first="1.16.0",
        fixed="1.30.7",
        needs="a `DELETE /api/v1/messages` that names one ID twice or an ID that is gone, or two clients "
        "that delete overlapping lists",
        together=overlapping_deletions,
        avoid="Delete one ID in each request, or delete by search, from one client only.",
        scenario="overlapping-deletions",
        source="Mailpit issue 723 and the release notes of 1.30.7; measured on 1.27.11 and 1.30.5",
    ),
    Race(
        number="S5",
        title="The same stop over POP3",
        anomalies=(_A.HANG,),
        first="1.18.6",
        fixed="1.30.7",
        needs="a POP3 client that sends DELE twice for one message, or QUIT after the API deleted one of the "
        "messages that it has marked",
        together=overlapping_over_pop3,
        avoid="Do not delete over POP3 and the API at once.",
        scenario="pop3-delete-beside-delete",
        source="Mailpit issue 723 and the release notes of 1.30.7; measured on 1.27.11 and 1.30.5",
    ),
    Race(
        number="S6",
        title="One Message-ID is stored twice in spite of --ignore-duplicate-ids",
        anomalies=(_A.DUPLICATED,),
        first="1.6.6",
        needs="two or more mails with one Message-ID that arrive at a server started with "
        "`--ignore-duplicate-ids`; larger mails make it likelier",
        together=shared_id,
        avoid="Send mails that share a Message-ID one after the other.",
        scenario="same-message-id-small",
        source="measured on 1.17.0, 1.27.11, 1.30.5 and 1.33.1",
    ),
    Race(
        number="S7",
        title="One mail holds a tag twice",
        anomalies=(_A.TAG_DUPLICATED,),
        first="1.12.0",
        needs="two clients that set the tags of one message",
        together=two_taggers,
        avoid="Set the tags of one message from one client only.",
        scenario="two-tag-sets",
        source="measured on 1.27.11, 1.30.5 and 1.33.1",
    ),
    Race(
        number="S8",
        title="A tag stays although no mail holds it",
        anomalies=(_A.TAG_GHOST,),
        needs="a tagged mail that is deleted after it was stored and before its tags were written",
        together=tag_beside_edit,
        avoid="Delete messages only while no tagged mail arrives.",
        scenario="send-delete-all",
        source="measured on 1.17.0, 1.27.11, 1.30.5 and 1.33.1",
    ),
    Race(
        number="S9",
        title="A mail is seen before its tags",
        anomalies=(_A.TORN_READ,),
        needs="a reader that polls while a tagged mail arrives",
        together=reader,
        avoid="Read again until the tags are there. This is by design.",
        scenario="send-and-reader",
    ),
    Race(
        number="S10",
        title="Two servers on one SQLite file refuse what they stored",
        anomalies=(_A.REJECTED_BUT_STORED,),
        needs="two Mailpit processes that use one SQLite file, one of which finds it locked",
        together=shared_tag,
        avoid="Give each server a database file of its own.",
        setup="two servers on one SQLite file",
    ),
    Race(
        number="S11",
        title="A refused mail leaves its recipients to the next one",
        anomalies=(_A.ENVELOPE_LEAKED,),
        first="1.28.4",
        needs="a client that goes on with the same connection after a refused mail, without RSET",
        together=leftover,
        avoid="Send RSET after a refusal, or use a new connection.",
        scenario="no-rset-after-failure",
        source="measured on 1.30.5 and 1.33.1",
    ),
    Race(
        number="S12",
        title="Parallel senders at two servers on one rqlite share a new tag",
        anomalies=(_A.REJECTED_BUT_STORED,),
        first="1.16.0",
        fixed="1.30.0",
        needs="two Mailpit processes that use one rqlite and each receive a mail with one tag that does not "
        "exist yet: the lock that mended S1 is each process's own",
        together=shared_tag,
        avoid="Store one mail with the tag before parallel senders use it.",
        scenario="two-instances-shared-new-tag",
        source="measured on 1.17.1, 1.27.11 and 1.30.5",
    ),
    Race(
        number="S13",
        title="The newest message is deleted while it is asked for",
        anomalies=(_A.SPURIOUS_REJECTION,),
        needs="`GET /api/v1/message/latest` while the newest message is deleted: one query finds which it "
        "is, another reads it",
        together=newest_beside_deletion,
        avoid="Ask again after a 404, or look for the message by its Message-ID.",
        scenario="latest-delete-newest",
    ),
    Race(
        number="S14",
        title="A message that is read meanwhile is deleted as an unread one",
        anomalies=(_A.NOT_SERIALIZABLE,),
        needs="a deletion by search with `is:unread` while one of the messages is read: one query finds "
        "them, and others delete them",
        together=read_beside_search,
        avoid="Delete by ID what is known to be unread, or while nobody reads.",
        scenario="read-delete-unread",
    ),
    Race(
        number="S15",
        title="A deleted message is still shown because it was read meanwhile",
        anomalies=(_A.VIEWS_DISAGREE,),
        first="1.31.2",
        needs="a message with an image that is read while it is deleted: parsed messages are kept in memory "
        "for 5 s, and the reader puts it there after the deletion took it out",
        together=read_beside_deletion,
        avoid="Look at the list, or wait 5 s after a deletion.",
        scenario="read-delete-image",
        source="measured on 1.33.1: 20 of 39 rounds with an image of 3 MB; none of 39 on 1.30.5",
    ),
)


def races_behind(name: str, version: str, operations: Sequence[Operation] | None = None) -> list[Race]:
    """The known races that can show this anomaly on that version; where none can, all that show it anywhere.

    operations   of the rounds that showed it, where they are known: a race that they cannot bring about is
                 left out

    Left out are those that need something that mailrace does not set up (two servers on one file). A race of
    two servers on one store is named only where no other explains the anomaly.
    """
    found = [
        race
        for race in RACES
        if name in race.anomalies
        and not race.setup
        and race.is_in(version) is not False
        and (operations is None or race.together(operations))
    ]
    alone = [race for race in found if race.number != "S12"]
    return alone or found


def _numbers(version: str) -> tuple[int, ...] | None:
    """`1.30.5` as (1, 30, 5); None for what is no version, such as `fixed` or `dev`."""
    parts = re.fullmatch(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})", version.strip())
    return tuple(int(part) for part in parts.groups()) if parts else None


def _known(version: str) -> tuple[int, ...]:
    """The numbers of a version of this table."""
    numbers = _numbers(version)
    assert numbers is not None
    return numbers
