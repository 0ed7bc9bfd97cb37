"""The one table of anomalies: name, what it means, whether it fails a run; and an anomaly's frozen value."""

from dataclasses import dataclass, field
from enum import StrEnum


class Weight(StrEnum):
    """What a finding does to the verdict."""

    RACE = "race"
    REPORTED = "reported"
    """Shown and counted, never RACE: by design, or the client's own policy."""


class AnomalyName(StrEnum):
    """A broken promise; the value is its word in files and reports."""

    weight: Weight
    meaning: str

    def __new__(cls, word: str, weight: Weight, meaning: str) -> "AnomalyName":
        member = str.__new__(cls, word)
        member._value_ = word
        member.weight = weight
        member.meaning = meaning
        return member

    REJECTED_BUT_STORED = (
        "rejected_but_stored",
        Weight.RACE,
        "an attempt was refused in reply to its final dot, and its copy is in the store",
    )
    ACCEPTED_BUT_MISSING = (
        "accepted_but_missing",
        Weight.RACE,
        "an accepted message has no copy in the store",
    )
    DUPLICATED = (
        "duplicated",
        Weight.RACE,
        "one attempt has two or more copies; with ignore_duplicate_ids, one Message-ID has",
    )
    TAG_LOST = ("tag_lost", Weight.RACE, "an accepted message lacks a tag that it asked for")
    TAG_DUPLICATED = ("tag_duplicated", Weight.RACE, "a message holds one tag twice")
    TAG_GHOST = ("tag_ghost", Weight.RACE, "a tag is listed that no message holds")
    SPURIOUS_REJECTION = (
        "spurious_rejection",
        Weight.RACE,
        "refused and not stored, though every serial order accepts it",
    )
    ENVELOPE_LEAKED = (
        "envelope_leaked",
        Weight.RACE,
        "a recipient or sender of one message stands on another",
    )
    CONTENT_MIXED = (
        "content_mixed",
        Weight.RACE,
        "a stored mail is not the mail that was sent: subject, Message-ID, snippet, size or source differs",
    )
    ID_MIXED = (
        "id_mixed",
        Weight.RACE,
        "a reply names or shows the wrong mail, or names none, or two replies name the same one",
    )
    FOREIGN_ROW = (
        "foreign_row",
        Weight.RACE,
        "the store holds a row that is no copy of any mail that was sent",
    )
    OLDER_CHANGED = (
        "older_changed",
        Weight.RACE,
        "a mail that was stored before is altered or gone, though nothing that ran since then touches it",
    )
    SEARCH_WRONG = (
        "search_wrong",
        Weight.RACE,
        "a search for words of one mail misses it, or finds another",
    )
    ORDER_WRONG = ("order_wrong", Weight.RACE, "the list of mails is not in the order of their arrival")
    VIEWS_DISAGREE = (
        "views_disagree",
        Weight.RACE,
        "two views of the quiet store differ: list, search, tags, counts or a message's page",
    )
    NOT_SERIALIZABLE = (
        "not_serializable",
        Weight.RACE,
        "the outcome equals that of no serial order, and no finer name fits",
    )
    HANG = ("hang", Weight.RACE, "a request stays unanswered while the server is quiet, or past its limit")
    CRASH = ("crash", Weight.RACE, "the server's process ended")
    RETRY_DUPLICATE = (
        "retry_duplicate",
        Weight.REPORTED,
        "an attempt with an unknown outcome and its retry left a copy each: the client's policy",
    )
    TORN_READ = (
        "torn_read",
        Weight.REPORTED,
        "a reader saw a state that no serial order shows (by design, S9)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One broken promise with its witnesses.

    message    key of the message it is about; None where it is about the server or a tag
    attempts   numbers of the attempts of that message that bear witness
    copies     server IDs of the copies that bear witness
    proof      the anomaly as a short proof in words, one paragraph, no line breaks
    """

    name: AnomalyName
    round: int
    message: str | None = None
    attempts: tuple[int, ...] = ()
    copies: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    proof: str = field(compare=True)
