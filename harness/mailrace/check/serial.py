"""Takes a round, its broken promises and its serial outcomes; gives the anomalies that remain.

The second oracle (docs/glossary.md): the round's operations are run one after the other, for real, in each
allowed order, and the concurrent round's outcome must equal one of theirs (Papadimitriou 1979, JACM 26, 631,
with the real-time order of Herlihy and Wing 1990, TOPLAS 12, 463). It clears a broken promise that a serial
order breaks as well, and it finds an outcome that breaks no promise although no serial order leads to it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from mailrace.check.orders import Constraints, constraints, first_attempts, has_bulk
from mailrace.check.outcome import (
    NOT_RUN,
    SHARED,
    Part,
    SerialOutcome,
    copies_part,
    outcome_of,
    owner_of,
    tag_part,
)
from mailrace.check.promises import is_left_to_serial
from mailrace.check.wording import finding, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName, Weight
from mailrace.model.attempt import RoundRecord, Word
from mailrace.model.operation import Read, Send, ServerOptions, messages_of
from mailrace.model.phrases import listed

_TAGS = re.compile(r"tags \[([^\]]*)\]")


def serial_anomalies(
    record: RoundRecord, serial: Sequence[SerialOutcome], promises: Sequence[Anomaly], options: ServerOptions
) -> tuple[Anomaly, ...]:
    """The round's anomalies by both oracles: promises that no serial order breaks too, and outcomes that
    break no promise although no serial order leads to them.

    `serial` holds the outcomes of all orders of `orders(record)`, each run twice. Where it is empty only
    promises are judged, and of them only those that need no serial order. `promises` are all broken promises
    (`broken_promises`).
    """
    if not serial or record.stored is None:
        return tuple(a for a in promises if not is_left_to_serial(a, record, options))
    comparison = _Comparison(record, serial)
    found = [a for a in promises if not comparison.clears(a, options)]
    found += comparison.spurious_rejections()
    if not any(a.name.weight is Weight.RACE for a in found):
        found += comparison.not_serializable()
    return (*found, *comparison.torn_reads())


def is_about_replies_only(record: RoundRecord, serial: Sequence[SerialOutcome]) -> bool:
    """Whether the store holds what some serial order leaves, up to exchanging operations of one kind.

    With bulk operations, each part of the store has to be what some order leaves.
    """
    kind = constraints(record).kind

    def left(outcome: SerialOutcome) -> list[tuple[int, str, str]]:
        kept = (part for part in outcome.parts if part.what not in ("reply", "shown"))
        return sorted((kind.get(part.actor, part.actor), part.what, part.value) for part in kept)

    if record.stored is None:
        return False
    own = left(outcome_of(record))
    if has_bulk(record.plan):
        return set(own) <= {part for outcome in serial for part in left(outcome)}
    return any(left(outcome) == own for outcome in serial)


def _about_one_message(record: RoundRecord) -> Mapping[tuple[int, str], str]:
    """The parts of an outcome, by actor and `what`, that are about one message, each with its key.

    They are the message's copies, what a relay got of it, and the replies to operations on it alone.
    """
    about: dict[tuple[int, str], str] = {}
    for key in messages_of(record.plan):
        owner, copies = owner_of(record.plan, key), copies_part(record, key)
        about[owner, copies] = key
        if owner == SHARED:
            about[SHARED, copies.replace("copies of", "relayed", 1)] = key
    for actor, operation in enumerate(record.plan.operations):
        acts_on = {operation.message.key} if isinstance(operation, Send) else set(operation.named)
        if len(acts_on) == 1:
            about |= dict.fromkeys(((actor, "reply"), (actor, "shown")), *acts_on)
    return about


class _Comparison:
    """The concurrent outcome beside the serial ones, up to exchanging what differs only in names."""

    def __init__(self, record: RoundRecord, serial: Sequence[SerialOutcome]) -> None:
        self._record = record
        self._serial = serial
        self._rules: Constraints = constraints(record)
        self._own = outcome_of(record)
        self._serial_parts = {part for outcome in serial for part in self._parts(outcome)}
        self._about = _about_one_message(record)
        self._has_retries = any(a.number > 1 for a in record.attempts)

    def clears(self, anomaly: Anomaly, options: ServerOptions) -> bool:
        """Whether a serial order leaves this message or tag in the same state, so that it is no anomaly.

        What a retry left is cleared: serial orders are run without retries, so they cannot say whether it is
        wrong.
        """
        if not is_left_to_serial(anomaly, self._record, options):
            return False
        if any(number > 1 for number in anomaly.attempts):
            return True
        if anomaly.message is not None:
            where = [
                (owner_of(self._record.plan, anomaly.message), copies_part(self._record, anomaly.message))
            ]
        else:
            where = [(SHARED, tag_part(self._record, tag)) for tag in anomaly.tags]
        is_of_message = anomaly.name is AnomalyName.TAG_LOST and anomaly.message is not None and anomaly.tags
        # A tag may be cleared as "not lost" only where the whole outcome is compared later on. Elsewhere
        # nothing else would report the message.
        is_compared_whole = not self._has_retries and not has_bulk(self._record.plan)
        if is_of_message and is_compared_whole:
            # Where a serial order leaves the message without the tag as well, the tag is not what was lost;
            # if its tags are wrong in another way, the whole outcome is that of no serial order.
            return all(self._is_serially_without(tag, *where[0]) for tag in anomaly.tags)
        parts = [part for part in self._own.parts if (part.actor, part.what) in where]
        return bool(parts) and all(self._alike(part) in self._serial_parts for part in parts)

    def _is_serially_without(self, tag: str, actor: int, what: str) -> bool:
        """Whether some serial order leaves copies of the message, and none of them with the tag."""
        wanted = tag_part(self._record, tag).removeprefix("tag ")
        kind = self._kind(actor)
        values = [part.value for part in self._serial_parts if (part.actor, part.what) == (kind, what)]
        held = [set(", ".join(_TAGS.findall(value)).split(", ")) for value in values if value != "none"]
        return any(wanted not in tags for tags in held)

    def spurious_rejections(self) -> Iterator[Anomaly]:
        """Refused, nothing stored, and accepted in every serial order."""
        for attempt in first_attempts(self._record).values():
            if not attempt.refused_at_dot:
                continue
            operation = self._record.plan.operations[attempt.actor]
            if isinstance(operation, Read) or (
                isinstance(operation, Send) and self._is_stored(attempt.message)
            ):
                continue
            # Actors of one kind do the same and may be exchanged, so the replies to all of that kind are
            # compared: which of two equal senders is refused in a serial order is chance.
            kind = self._kind(attempt.actor)
            replies = [
                part.value
                for outcome in self._serial
                for part in outcome.parts
                if part.what == "reply" and part.value != NOT_RUN and self._kind(part.actor) == kind
            ]
            if replies and all(reply in ("2xx", "3xx", Word.ACCEPTED) for reply in replies):
                stored = " and nothing was stored" if isinstance(operation, Send) else ""
                yield finding(
                    AnomalyName.SPURIOUS_REJECTION,
                    self._record,
                    f"{who(self._record, attempt)} {told(self._record, attempt)}{stored}; "
                    f"every serial order accepts it: {self._orders_in_words()}.",
                    message=attempt.message,
                    attempts=[1],
                )

    def not_serializable(self) -> Iterator[Anomaly]:
        """No serial order leads to the whole outcome; with bulk operations, none leads to that of a message.

        Not judged in a round with retries: no serial order has any.
        """
        if self._has_retries:
            return
        # An operation on several messages need not be one step, so each message is judged by itself. Some
        # serial order must leave the message so; for another message it may be another order.
        own = self._parts(self._own)
        if has_bulk(self._record.plan):
            if self._by_message(self._own) <= {one for o in self._serial for one in self._by_message(o)}:
                return
        elif any(self._bundled(outcome) == self._bundled(self._own) for outcome in self._serial):
            return
        # No serial order explains the outcome. The proof compares it with the serial order that differs
        # least, which shows best what went wrong.
        nearest = min(self._serial, key=lambda outcome: len(set(own) ^ set(self._parts(outcome))))
        there = {(part.actor, part.what): part.value for part in nearest.parts}
        different = [
            f"{self._owner(part)}{part.what} {part.value!r} "
            f"(there {there.get((part.actor, part.what), 'absent')!r})"
            for part in self._own.parts
            if there.get((part.actor, part.what)) != part.value and not self._is_open(part)
        ]
        here = {(part.actor, part.what) for part in self._own.parts}
        different += [
            f"{self._owner(part)}{part.what} absent (there {part.value!r})"
            for part in nearest.parts
            if (part.actor, part.what) not in here
        ]
        yield finding(
            AnomalyName.NOT_SERIALIZABLE,
            self._record,
            f"its outcome is that of none of the serial orders {self._orders_in_words()}; "
            f"nearest is {nearest.order or 'one'}, from which it differs in {listed(different)}.",
        )

    def torn_reads(self) -> Iterator[Anomaly]:
        """What a reader was shown that no serial order shows (by design, S9)."""
        shown = {seen for outcome in self._serial for seen in outcome.seen}
        for seen in dict.fromkeys(self._own.seen):
            if shown and seen not in shown:
                yield finding(
                    AnomalyName.TORN_READ,
                    self._record,
                    f"a reader was shown {seen!r}, which no serial order shows; by design (S9).",
                )

    def _parts(self, outcome: SerialOutcome) -> tuple[Part, ...]:
        return tuple(self._alike(part) for part in outcome.parts if not self._is_open(part))

    def _bundled(self, outcome: SerialOutcome) -> list[tuple[int, tuple[Part, ...]]]:
        """Per actor its parts under the name of its kind, sorted: equal up to exchange."""
        bundles: dict[int, list[Part]] = {}
        for part in outcome.parts:
            if not self._is_open(part):
                bundles.setdefault(part.actor, []).append(self._alike(part))
        return sorted((self._kind(actor), tuple(sorted(parts))) for actor, parts in bundles.items())

    def _by_message(self, outcome: SerialOutcome) -> set[tuple[Part, ...]]:
        """The parts about each message together; every other part by itself."""
        found: dict[object, list[Part]] = {}
        for part in outcome.parts:
            if not self._is_open(part):
                found.setdefault(self._about.get((part.actor, part.what), part), []).append(self._alike(part))
        return {tuple(sorted(parts)) for parts in found.values()}

    def _alike(self, part: Part) -> Part:
        return Part(self._kind(part.actor), part.what, part.value)

    def _kind(self, actor: int) -> int:
        return self._rules.kind.get(actor, actor)

    def _is_open(self, part: Part) -> bool:
        """Whether the part says nothing: the reply of an operation whose outcome is unknown."""
        return part.what == "reply" and part.actor in self._rules.optional

    def _owner(self, part: Part) -> str:
        return f"{self._record.plan.operations[part.actor].key}: " if part.actor >= 0 else ""

    def _is_stored(self, key: str | None) -> bool:
        stored = self._record.stored
        return stored is not None and any(copy.key == key for copy in stored.messages)

    def _orders_in_words(self) -> str:
        return "; ".join(dict.fromkeys(f"({outcome.order})" for outcome in self._serial if outcome.order))
