"""A suite's record and what its server held at the end in, the promises that the server broke out.

The promises are those of a race (an accepted mail has one copy, a refused one has none), but nothing here was
planned: what somebody may have deleted or retagged is not judged, and how much that was is said.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailrace.check.tags import tag_keys
from mailrace.model.anomaly import AnomalyName
from mailrace.model.attempt import Outcome
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
    """What was found, and how many accepted mails were not judged since somebody may have deleted them."""

    found: tuple[Happening, ...]
    judged: int
    not_judged: int


def happened(suite: Suite) -> Happenings:
    """Every broken promise of the record, in the order in which the operations began."""
    sends = [one for one in suite.operations if one.kind == "send"]
    by_message_id: dict[str, list[Recorded]] = defaultdict(list)
    for one in sends:
        if one.message_id:
            by_message_id[one.message_id].append(one)
    found = [*_refused_but_held(suite, by_message_id), *_retried(suite, by_message_id)]
    judged = 0
    held_by_id = {held.id: held for held in suite.held}
    for mail in suite.mails.values():
        if mail.deleted is not None or mail.maybe_deleted is not None:
            continue
        judged += 1
        held = held_by_id.get(mail.id)
        if held is None:
            found.append(
                _happening(suite, AnomalyName.ACCEPTED_BUT_MISSING, mail.sent, "is not in the store")
            )
        elif lost := _lost_tags(suite, mail.sent, held):
            why = f"has lost the tag {', '.join(sorted(lost))}"
            found.append(_happening(suite, AnomalyName.TAG_LOST, mail.sent, why))
    found += _doubled(suite, by_message_id)
    ordered = sorted(found, key=lambda one: one.operation.invoked_ns)
    return Happenings(tuple(ordered), judged, len(suite.mails) - judged)


def _refused_but_held(suite: Suite, by_message_id: dict[str, list[Recorded]]) -> Iterator[Happening]:
    """A refusal to the final dot promises that nothing was stored (RFC 5321 4.2.1)."""
    seen = {message_id for one in suite.operations for _, message_id in one.found}
    seen |= {held.message_id for held in suite.held}
    copies = Counter(held.message_id for held in suite.held)
    for message_id, sends in by_message_id.items():
        refused = [one for one in sends if one.outcome is Outcome.FAIL and one.digest]
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
            is_same = before.digest == after.digest and suite.party(before) == suite.party(after)
            if is_same and before.outcome is Outcome.OK and before.completed_ns <= after.invoked_ns:
                why = f"was sent again although the server had said {before.code}"
                yield _happening(suite, RETRIED_AFTER_YES, after, why)


def _doubled(suite: Suite, by_message_id: dict[str, list[Recorded]]) -> Iterator[Happening]:
    copies = Counter(held.message_id for held in suite.held if held.message_id)
    for message_id, count in copies.items():
        sends = by_message_id.get(message_id, [])
        if sends and count > len(sends):
            why = f"was sent {len(sends)} times and is in the store {count} times"
            yield _happening(suite, AnomalyName.DUPLICATED, sends[0], why)


def _lost_tags(suite: Suite, sent: Recorded, held: Held) -> frozenset[str]:
    """Tags that the mail asked for and does not have, where nobody retagged it or changed such a tag."""
    for edit in suite.of("set_tags", "rename_tag", "delete_tag"):
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
