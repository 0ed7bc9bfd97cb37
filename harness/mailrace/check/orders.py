"""Takes a round; gives the orders that serial equivalence allows for its operations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mailrace.check.tags import tag_key
from mailrace.model.attempt import Attempt, Outcome, RoundRecord
from mailrace.model.operation import Effect, Message, Operation, PlannedRound, Send, messages_of

ORDERS_MAX = 120
"""With more orders than these, serial equivalence judges nothing: only promises do (docs/glossary.md)."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What an order of the round must respect, by the index of each operation that can have had an effect.

    before      the operations that must stand before it: answered before its last byte was written
    optional    operations with an unknown outcome, which may be left out
    kind        equal for two operations exactly when they differ only in names and may be exchanged
    """

    before: Mapping[int, frozenset[int]]
    optional: frozenset[int]
    kind: Mapping[int, int]


def orders(record: RoundRecord | PlannedRound) -> tuple[tuple[int, ...], ...]:
    """Orders of the indexes of the round's operations, each allowed, up to exchange; () if over `ORDERS_MAX`.

    A comes before B whenever A's last reply byte was read before B's last byte was written. An operation of
    unknown outcome has no end, so it precedes nothing, and it may be left out. One whose last byte was never
    written is always left out. For a planned round without a record, every order is allowed. Lazy: a round
    with far too many orders costs no more than the limit.
    """
    rules = constraints(record)
    found: list[tuple[int, ...]] = []
    for order in _walk(rules, (), frozenset(rules.before)):
        found.append(order)
        if len(found) > ORDERS_MAX:
            return ()
    return tuple(found)


def constraints(record: RoundRecord | PlannedRound) -> Constraints:
    """What an order of the round must respect; see `orders`."""
    if isinstance(record, PlannedRound):
        everyone = {i: frozenset[int]() for i in range(len(record.operations))}
        return Constraints(everyone, frozenset(), _kinds(record, everyone, frozenset()))
    firsts = first_attempts(record)
    ran = [
        i for i in range(len(record.plan.operations)) if i not in firsts or firsts[i].released_ns is not None
    ]
    optional = frozenset(i for i in ran if i not in firsts or firsts[i].outcome is Outcome.UNKNOWN)
    before = {
        b: frozenset(a for a in ran if a != b and a not in optional and _precedes(firsts[a], firsts.get(b)))
        for b in ran
    }
    return Constraints(before, optional, _kinds(record.plan, before, optional))


def has_bulk(plan: PlannedRound) -> bool:
    """Whether an operation acts on several messages: then each message is judged by itself.

    In a round with one message, a search or "all" acts on that one.
    """
    has_several = len(messages_of(plan)) > 1
    return any(
        len(set(operation.named)) > 1 or (has_several and (operation.is_on_all or operation.search))
        for operation in plan.operations
        if not operation.effect & Effect.SHOWS
    )


def _precedes(first: Attempt, second: Attempt | None) -> bool:
    return second is not None and second.released_ns is not None and first.completed_ns < second.released_ns


def first_attempts(record: RoundRecord) -> Mapping[int, Attempt]:
    """The raced attempt of each operation, by its index; no retries, leads or given messages."""
    firsts: dict[int, Attempt] = {}
    for attempt in record.attempts:
        if attempt.actor < 0 or attempt.number != 1:
            continue
        operation = record.plan.operations[attempt.actor]
        if isinstance(operation, Send) and attempt.message not in (None, operation.message.key):
            continue
        firsts[attempt.actor] = attempt
    return firsts


def _walk(rules: Constraints, so_far: tuple[int, ...], left: frozenset[int]) -> Iterator[tuple[int, ...]]:
    if left <= rules.optional:
        yield so_far
    tried: set[int] = set()
    for index in sorted(left):
        kind = rules.kind[index]
        if kind in tried or rules.before[index] & left:
            continue
        tried.add(kind)
        yield from _walk(rules, (*so_far, index), left - {index})


def _kinds(
    plan: PlannedRound, before: Mapping[int, frozenset[int]], optional: frozenset[int]
) -> Mapping[int, int]:
    """Two operations are one kind if they ask the same and have the same relations to all others."""
    after = {a: frozenset(b for b, firsts in before.items() if a in firsts) for a in before}
    names: dict[object, int] = {}
    return {
        i: names.setdefault(
            (_nameless(plan.operations[i], plan.token), before[i], after[i], i in optional), i
        )
        for i in before
    }


def _nameless(operation: Operation, token: str) -> object:
    """What the operation asks, without the key, marks and salts that only distinguish it from its like."""
    if isinstance(operation, Send):
        lead = operation.lead and _nameless_message(operation.lead, token)
        return (operation.via, operation.ignore_mail_reply, lead, _nameless_message(operation.message, token))
    return replace(operation, key="")


def _nameless_message(message: Message, token: str) -> object:
    """Tags by their keys, since two spellings are one tag; a Message-ID only where it is shared."""
    mark = f"{token}.{message.key.removeprefix(token)}"
    is_own_id = message.message_id.startswith(message.key)
    return (
        tuple(tag_key(tag) for tag in message.x_tags),
        tuple(tag_key(tag) for tag in message.plus_tags),
        tuple(address.lower().replace(mark, "").replace(message.key, "") for address in message.recipients),
        len(message.bcc),
        "" if is_own_id else message.message_id,
        message.body_bytes,
        message.file_sha256,
        message.headers,
        message.malformed,
    )


def order_in_words(plan: PlannedRound, order: Sequence[int]) -> str:
    """`send.1, delete`: the keys of the operations in that order; those left out are named."""
    left_out = [operation.key for i, operation in enumerate(plan.operations) if i not in order]
    words = ", ".join(plan.operations[i].key for i in order) or "nothing"
    return f"{words} (without {', '.join(left_out)})" if left_out else words
