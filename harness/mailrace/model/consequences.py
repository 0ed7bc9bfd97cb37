"""What each anomaly means for somebody who uses Mailpit: the harm, a sentence or two, and what helps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailrace.model.anomaly import AnomalyName

_A = AnomalyName


class Harm(StrEnum):
    """What an anomaly damages."""

    DATA = "data"
    STOP = "hang or crash"
    PROMISE = "promise"
    REPLY = "reply"


HARMS = (Harm.STOP, Harm.DATA, Harm.PROMISE, Harm.REPLY)
"""Worst first."""


def is_at_least(harm: Harm, least: Harm) -> bool:
    """Whether a harm is as bad as another, or worse."""
    return HARMS.index(harm) <= HARMS.index(least)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What one anomaly means for somebody who uses Mailpit: whole sentences.

    meaning   what happened to the mail, and how a test suite or a person notices it
    remedy    what to do where the catalogue knows no race that explains it
    """

    harm: Harm
    meaning: str
    remedy: str


CONSEQUENCES: Mapping[AnomalyName, Consequence] = {
    _A.ACCEPTED_BUT_MISSING: Consequence(
        harm=Harm.DATA,
        meaning="A mail was accepted and is not in the mailbox. A test that waits for it fails, and a person "
        "never sees it.",
        remedy="Look for each mail after it was accepted, and send it again if it is not there.",
    ),
    _A.CONTENT_MIXED: Consequence(
        harm=Harm.DATA,
        meaning="The mail in the mailbox is not the mail that was sent: its text, subject or Message-ID is "
        "another's, or damaged. A test that reads it sees what nobody sent.",
        remedy="Send the mails of one test one after the other, and report it with the bundle of this run.",
    ),
    _A.OLDER_CHANGED: Consequence(
        harm=Harm.DATA,
        meaning="A mail that had been in the mailbox for a while is gone or altered, though nobody asked for "
        "that. Tests of other people are hit as well.",
        remedy="Give each team a server of its own, and report it with the bundle of this run.",
    ),
    _A.FOREIGN_ROW: Consequence(
        harm=Harm.DATA,
        meaning="The mailbox holds a mail that nobody sent. A test that counts mails finds one too many.",
        remedy="Look for mails by Message-ID instead of counting, and report it with the bundle of this run.",
    ),
    _A.ENVELOPE_LEAKED: Consequence(
        harm=Harm.DATA,
        meaning="A mail names a recipient or a sender that belongs to another mail. A test that looks at "
        "recipients finds people to whom this mail was never sent.",
        remedy="Use a new connection for each mail, or send RSET after each refusal.",
    ),
    _A.HANG: Consequence(
        harm=Harm.STOP,
        meaning="The server answers nobody any more, though its process runs. All tests that use it wait "
        "until their time limit, and only a restart helps.",
        remedy="Give each request a time limit, and restart the server when one is passed.",
    ),
    _A.CRASH: Consequence(
        harm=Harm.STOP,
        meaning="The server's process ended. Mails that are sent afterwards are refused until it is started "
        "again.",
        remedy="Let a supervisor start the server again, and keep its log for the bug report.",
    ),
    _A.DUPLICATED: Consequence(
        harm=Harm.DATA,
        meaning="One mail is in the mailbox twice or more. A test that counts mails finds too many.",
        remedy="Count different Message-IDs instead of messages.",
    ),
    _A.REJECTED_BUT_STORED: Consequence(
        harm=Harm.PROMISE,
        meaning="A mail was refused, and it is in the mailbox all the same. A client that sends it again, as "
        "mail clients do, leaves two; one that does not reports a failure that was none. The refused copy "
        "often lacks its tags.",
        remedy="Let the client look for its Message-ID before it sends a refused mail again.",
    ),
    _A.ID_MIXED: Consequence(
        harm=Harm.PROMISE,
        meaning="The ID that a sender was told belongs to another mail, or to none. A client that reads or "
        "deletes by that ID reads or deletes the wrong mail.",
        remedy="Look for the mail by its Message-ID instead of by the ID of the reply.",
    ),
    _A.VIEWS_DISAGREE: Consequence(
        harm=Harm.PROMISE,
        meaning="After all was answered, the list says one thing of a mail and a search, a count or the "
        "mail's own page another. A test passes or fails by where it looks.",
        remedy="Look at one view only, the list, and report it with the bundle of this run.",
    ),
    _A.TAG_LOST: Consequence(
        harm=Harm.DATA,
        meaning="A mail was accepted and lacks a tag that it asked for. Whoever looks for it by that tag "
        "does not find it.",
        remedy="Look for mails by Message-ID or recipient instead of by tag.",
    ),
    _A.NOT_SERIALIZABLE: Consequence(
        harm=Harm.DATA,
        meaning="Requests at the same time left the mailbox in a state to which no order of the same "
        "requests, one after the other, leads.",
        remedy="Do not send these requests at the same time.",
    ),
    _A.SPURIOUS_REJECTION: Consequence(
        harm=Harm.REPLY,
        meaning="A mail or a request was refused though nothing was wrong with it, and nothing was stored. A "
        "client that does not try again loses that mail.",
        remedy="Let the client try again.",
    ),
    _A.SEARCH_WRONG: Consequence(
        harm=Harm.REPLY,
        meaning="A search misses a mail that is there, or finds another. A test that searches fails or looks "
        "at the wrong mail.",
        remedy="List the mails and compare them yourself.",
    ),
    _A.ORDER_WRONG: Consequence(
        harm=Harm.REPLY,
        meaning="The list of mails is not in the order in which they arrived. A test that takes the newest "
        "mail takes another.",
        remedy="Look for the mail by its Message-ID instead of taking the newest.",
    ),
    _A.TAG_DUPLICATED: Consequence(
        harm=Harm.DATA,
        meaning="A mail holds one tag twice. Counts by tag are too high.",
        remedy="Set the tags of one mail from one client only.",
    ),
    _A.TAG_GHOST: Consequence(
        harm=Harm.DATA,
        meaning="A tag is listed that no mail holds. A test that looks at the list of tags finds one too "
        "many.",
        remedy="Count mails by searching for the tag instead of reading the list of tags.",
    ),
    _A.RETRY_DUPLICATE: Consequence(
        harm=Harm.PROMISE,
        meaning="The client did not learn whether its mail was stored, sent it again, and now there are two. "
        "That is the client's policy, and no fault of the server.",
        remedy="Let the client look for its Message-ID before it sends again.",
    ),
    _A.TORN_READ: Consequence(
        harm=Harm.REPLY,
        meaning="A reader saw a mail before all of it was there, for instance without its tags. That is so "
        "by design.",
        remedy="Read again after a moment, until the tags are there.",
    ),
}
"""The worst first: what is lost or stops comes before what is only told wrongly."""


def in_order(names: Iterable[str]) -> list[str]:
    """Names of anomalies, the worst first; names that the table does not hold come last, as they were."""
    place = {name.value: number for number, name in enumerate(CONSEQUENCES)}
    return sorted(dict.fromkeys(names), key=lambda name: place.get(name, len(place)))


def consequence(name: str) -> Consequence:
    """What an anomaly means for a user; for one that the table does not hold, its meaning alone."""
    known = next((held for anomaly, held in CONSEQUENCES.items() if anomaly == name), None)
    if known is not None:
        return known
    meaning = next((one.meaning for one in AnomalyName if one == name), f"an anomaly called {name} was seen")
    return Consequence(
        harm=Harm.DATA,
        meaning=f"{meaning[:1].upper()}{meaning[1:]}.",
        remedy="Report it, with the bundle of this run.",
    )
