"""Takes a suite's record and what its server held at the end; gives the promises that it broke.

The promises are those of a race (an accepted mail has one copy, a refused one has none), but nothing here was
planned. So a mail that somebody may have deleted or retagged is not judged, and the number of such mails is
told. Where part of the traffic was not seen, somebody unseen may have done all that is wrong, so nothing is
judged.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailrace.check.tags import tag_keys
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Outcome
from mailrace.record.doubts import doubts
from mailrace.record.mails import DELETIONS, Mail
from mailrace.record.overlaps import WRITERS
from mailrace.record.recorded import Held, Recorded
from mailrace.record.suite import Suite

RETRIED_AFTER_YES = "retried_after_yes"
"""A mail was sent again although the server had accepted it: the client's doing, reported with the rest."""
BESIDE_MAX = 3


@dataclass(frozen=True, slots=True)
class Happening:
    """A broken promise that was seen: its name, what was seen, the operation, and what overlapped with it."""

    name: str
    sentence: str
    operation: Recorded
    beside: tuple[Recorded, ...]


@dataclass(frozen=True, slots=True)
class Happenings:
    """What was found, and how many accepted mails were not judged since somebody may have deleted them.

    untold   mails that cannot be told from others in the store: those accepted without an ID or a Message-ID
             of their own, and those refused without a Message-ID where a row may be one of them
    doubts   why nothing was judged at all, a sentence each
    """

    found: tuple[Happening, ...]
    judged: int
    not_judged: int
    untold: int
    doubts: tuple[str, ...] = ()


def happened(suite: Suite) -> Happenings:
    """Every broken promise of the record, in the order in which the operations began."""
    by_message_id: dict[str, list[Recorded]] = defaultdict(list)
    for one in suite.operations:
        if one.kind == "send" and one.message_id:
            by_message_id[one.message_id].append(one)
    found = [*_retried(suite, by_message_id)]
    why_not = doubts(suite)
    judged: list[Mail] = []
    untold = 0
    if not why_not:
        lasting = [mail for mail in suite.mails if mail.deleted is None and mail.maybe_deleted is None]
        # Where its server ID is not known, a mail is found by a Message-ID that no other mail has.
        own = {message_id for message_id, sends in by_message_id.items() if len(sends) == 1}
        judged = [mail for mail in lasting if mail.id or mail.sent.message_id in own]
        found += [*_refused_but_held(suite, by_message_id), *_lost(suite, judged)]
        found += _doubled(suite, by_message_id)
        untold = len(lasting) - len(judged)
    ordered = sorted(found, key=lambda one: one.operation.invoked_ns)
    not_judged = len(suite.mails) - len(judged) - untold
    untold += _perhaps_held(suite, by_message_id, untold)
    return Happenings(tuple(ordered), len(judged), not_judged, untold, why_not)


def _perhaps_held(suite: Suite, by_message_id: dict[str, list[Recorded]], untold: int) -> int:
    """How many mails without a Message-ID may be in the store against the server's word, beside the `untold`.

    A row that no accepted mail accounts for is a refused one, or the second copy of an accepted one.
    """
    nameless = [one for one in suite.operations if one.kind == "send" and not one.message_id]
    ids = {mail.id for mail in suite.mails}
    rows = sum(one.id not in ids and one.message_id not in by_message_id for one in suite.held)
    refused = sum(map(_is_refused, nameless))
    if not rows and not any(one.kind in DELETIONS for one in suite.operations):
        return 0
    # A mail whose reply never came was promised nothing, so its row breaks nothing.
    rows -= untold + sum(one.outcome is Outcome.UNKNOWN for one in nameless)
    return max(refused, rows)


def _is_refused(one: Recorded) -> bool:
    """Whether it is a mail that was refused when all of it was sent."""
    return one.kind == "send" and one.outcome is Outcome.FAIL and bool(one.code and one.digest)


def _lost(suite: Suite, judged: list[Mail]) -> Iterator[Happening]:
    """Accepted mails that are missing, and those that lost a tag."""
    by_id = {held.id: held for held in suite.held}
    copies = Counter(held.message_id for held in suite.held)
    keeps_tags = _keeps_tags(suite, judged, by_id)
    for mail in judged:
        held = by_id.get(mail.id)
        if held is not None:
            lost = _lost_tags(suite, mail.sent, held) if keeps_tags else frozenset()
            if lost:
                why = f"has lost the tag {', '.join(sorted(lost))}"
                yield _happening(suite, AnomalyName.TAG_LOST, mail.sent, why)
        elif not copies[mail.sent.message_id]:
            # With --ignore-duplicate-ids one copy may stand for several mails of one Message-ID.
            yield _happening(suite, AnomalyName.ACCEPTED_BUT_MISSING, mail.sent, "is not in the store")


def _refused_but_held(suite: Suite, by_message_id: dict[str, list[Recorded]]) -> Iterator[Happening]:
    """Stored mails that were refused at the final dot, which promises that they are not (RFC 5321 4.2.1)."""
    rows = {row for one in suite.operations for row in one.found}
    rows |= {(held.id, held.message_id) for held in suite.held}
    seen = {message_id for server_id, message_id in rows if server_id not in suite.was_there}
    copies = Counter(held.message_id for held in suite.held)
    for message_id, sends in by_message_id.items():
        refused = [one for one in sends if _is_refused(one)]
        accepted = [one for one in sends if one.outcome is not Outcome.FAIL]
        if not refused or message_id not in seen:
            continue
        # With an accepted retry one copy is right; a second one is that of the refused mail.
        if not accepted or copies[message_id] > len(accepted):
            why = f"was told {refused[0].code}, and the store has it"
            yield _happening(suite, AnomalyName.REJECTED_BUT_STORED, refused[0], why)


def _retried(suite: Suite, by_message_id: dict[str, list[Recorded]]) -> Iterator[Happening]:
    for sends in by_message_id.values():
        for before, after in pairwise(sends):
            is_same = (before.digest, before.recipients) == (after.digest, after.recipients)
            is_again = before.outcome is Outcome.OK and before.completed_ns <= after.invoked_ns
            if is_same and is_again and suite.party(before) == suite.party(after):
                why = f"was sent again although the server had said {before.code}"
                yield _happening(suite, RETRIED_AFTER_YES, after, why)


def _doubled(suite: Suite, by_message_id: dict[str, list[Recorded]]) -> Iterator[Happening]:
    copies = Counter(held.message_id for held in suite.held if held.message_id)
    for message_id, count in copies.items():
        sends = by_message_id.get(message_id, [])
        # A refused mail that was stored is told by another name.
        if sends and all(one.outcome is not Outcome.FAIL for one in sends) and count > len(sends):
            why = f"was sent {len(sends)} times and is in the store {count} times"
            yield _happening(suite, AnomalyName.DUPLICATED, sends[0], why)


def _keeps_tags(suite: Suite, judged: list[Mail], by_id: dict[str, Held]) -> bool:
    """Whether this server tags mails as they ask: ours does, another may have --tags-disable."""
    if suite.begun.is_ours:
        return True
    tagged = ((mail.sent, by_id[mail.id]) for mail in judged if mail.sent.tags and mail.id in by_id)
    return any(tag_keys(sent.tags) <= tag_keys(held.tags) for sent, held in tagged)


def _lost_tags(suite: Suite, sent: Recorded, held: Held) -> frozenset[str]:
    """Tags that the mail asked for and does not have, where nobody retagged it or changed such a tag."""
    for edit in suite.tag_edits:
        if held.id in edit.ids or tag_keys(edit.tags) & tag_keys(sent.tags):
            return frozenset()
    return tag_keys(sent.tags) - tag_keys(held.tags)


def _happening(suite: Suite, name: str, one: Recorded, why: str) -> Happening:
    beside = tuple(
        other
        for other in suite.operations
        if other is not one and other.kind in WRITERS and one.overlaps(other)
    )[:BESIDE_MAX]
    with_whom = "; beside it: " + ", ".join(suite.who(other) for other in beside) if beside else ""
    return Happening(str(name), f"{suite.who(one)} {why}{with_whom}.", one, beside)
