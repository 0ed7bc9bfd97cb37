"""What a suite does to itself, whatever the server does; the table at the end has a row for each hazard.

A hazard is told only where traffic shows it, with the operations that do. It is no fault of the server: the
remedy is always in the suite.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailrace.record import occurrences, reads
from mailrace.record.evidence import Evidence
from mailrace.record.suite import Suite


@dataclass(frozen=True, slots=True)
class Hazard:
    """A row of the table.

    seen     what the traffic shows
    why      why it makes a suite flaky
    remedy   what to do instead
    find     takes a suite; gives the occurrences
    """

    name: str
    seen: str
    why: str
    remedy: str
    find: Callable[[Suite], Iterator[Evidence]]


_ONE_ADDRESS = "Give each test one recipient address of its own, search `to:` it, and delete by that search."
HAZARDS: tuple[Hazard, ...] = (
    Hazard(
        "deleted_unread",
        "a mail was deleted by another process before anybody had been shown it",
        "The test that waits for this mail never sees it.",
        _ONE_ADDRESS,
        occurrences.deleted_unread,
    ),
    Hazard(
        "delete_all_beside_others",
        "one process deleted everything while another was at work",
        "It takes the mails that the other still needs, and the tags of mails that are arriving.",
        "Delete by a search for your own recipient, or empty the mailbox once before the suite starts.",
        occurrences.delete_all_beside_others,
    ),
    Hazard(
        "read_latest_beside_others",
        "the latest mail was read while another process sent",
        "Which mail is the latest changes from one moment to the next.",
        _ONE_ADDRESS,
        reads.read_latest,
    ),
    Hazard(
        "unfiltered_list",
        "a list of all messages was read that held those of several processes",
        "The first row, and the number of rows, depend on what the others did.",
        _ONE_ADDRESS,
        reads.unfiltered_list,
    ),
    Hazard(
        "search_too_wide",
        "a search found the mail of another process as well",
        "A test that takes the first row may read the mail of another test.",
        "Search for what only this test has: `to:` with one address a test, or the Message-ID.",
        reads.search_too_wide,
    ),
    Hazard(
        "polled_count",
        "a process waited until the number of messages had changed, while others sent",
        "Mails of others change the number too, so the wait ends too early or never.",
        "Wait until a search for your own recipient finds the mail.",
        reads.polled_count,
    ),
    Hazard(
        "same_message_id",
        "two mails had the same Message-ID",
        "They cannot be told apart, and with --ignore-duplicate-ids only one of them is stored.",
        "Let the mail library make the Message-ID, or put the name of the test and a random part into it.",
        occurrences.same_message_id,
    ),
    Hazard(
        "blind_retry",
        "a mail that was refused was sent again, and the store was not asked in between",
        "Some versions of Mailpit refuse a mail that they have stored; the retry then makes a second one.",
        "Before a retry, search for the Message-ID.",
        occurrences.blind_retry,
    ),
    Hazard(
        "shared_recipient",
        "two processes sent to the same recipient",
        "A search for the recipient finds the mails of both.",
        "Put the name of the worker or of the test into the address, such as signup-3f9a@example.test.",
        occurrences.shared_recipient,
    ),
    Hazard(
        "shared_tag",
        "two processes used the same tag",
        "A search for the tag finds both; and on several versions mails that share a tag race in the server.",
        "Put the name of the worker or of the test into the tag.",
        occurrences.shared_tag,
    ),
    Hazard(
        "deleted_twice",
        "a message was deleted whose deletion had been asked for before",
        "Up to Mailpit 1.30.6 a deletion that names a stale or repeated ID can hang the server for good.",
        "Delete by search, or let only one place clean up.",
        occurrences.deleted_twice,
    ),
    Hazard(
        "read_gone",
        "a message was read that another process had deleted",
        "The reader is told 404 for a mail that it had found a moment before.",
        _ONE_ADDRESS,
        reads.read_gone,
    ),
    Hazard(
        "first_page_only",
        "a list or search showed its first 50 messages, and there were more",
        "A mail that arrived earlier than the newest 50 is not found, once the mailbox is full enough.",
        "Search for your own recipient, or read on with `start` and `limit`.",
        reads.first_page_only,
    ),
    Hazard(
        "foreign_tag_edit",
        "a process renamed or deleted a tag that another process's mail carries",
        "The other's search for its tag finds nothing from then on.",
        "Put the name of the worker or of the test into the tag.",
        occurrences.foreign_tag_edit,
    ),
)
