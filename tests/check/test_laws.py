"""Laws over drawn rounds: kept promises are clean, a broken one is found, a record's order is nothing."""

from dataclasses import dataclass, replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from mailrace.check import check_round, expected_copies, orders, replies
from mailrace.model.anomaly import AnomalyName, Weight
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import Delete

from tests.check.rounds import PLAIN, copy, executed, mail, send, tried

CODES = st.sampled_from([250, 451, None])
KINDS = tuple(name for name in AnomalyName if name.weight is Weight.RACE)


@dataclass(frozen=True)
class Drawn:
    """One sender: what its attempts were told, and whether an unknown one is stored."""

    codes: tuple[int | None, ...]
    stored: bool


SENDERS = st.lists(
    st.builds(Drawn, st.lists(CODES, min_size=1, max_size=3).map(tuple), st.booleans()),
    min_size=1,
    max_size=5,
)


def kept(senders: list[Drawn]) -> RoundRecord:
    """A round whose store keeps every promise: ok one copy with its tags, fail none, unknown as drawn."""
    messages = [mail(f"s{n:02d}", "T", f"own{n}") for n in range(1, len(senders) + 1)]
    operations = tuple(send(message) for message in messages)
    attempts, copies = [], []
    for operation, sender in zip(operations, senders, strict=True):
        for number, code in enumerate(sender.codes, 1):
            attempts.append(tried(operation, code, 2.0 * number, number=number, released_ms=2.0 * number - 1))
            if code == 250 or (code is None and sender.stored):
                copies.append(copy(operation.message, *operation.message.x_tags, attempt=number))
    return executed(operations, tuple(attempts), tuple(copies))


@given(SENDERS)
def test_a_round_that_keeps_its_promises_is_clean(senders: list[Drawn]) -> None:
    record = kept(senders)
    assert not [a for a in check_round(record, PLAIN) if a.name.weight is Weight.RACE]
    least, most = expected_copies(record, PLAIN)
    assert record.stored is not None
    assert least <= len(record.stored.messages) <= most


@given(SENDERS, st.data())
def test_one_copy_more_or_less_is_found_unless_unknown(senders: list[Drawn], data: st.DataObject) -> None:
    record = kept(senders)
    assert record.stored is not None
    attempt = data.draw(st.sampled_from(record.attempts))
    mine = [c for c in record.stored.messages if (c.key, c.attempt) == (attempt.message, attempt.number)]
    rest = tuple(c for c in record.stored.messages if c not in mine)
    sent = record.plan.operations[attempt.actor].message
    extra = copy(sent, *sent.x_tags, attempt=attempt.number, server_id="extra")
    more = replace(record, stored=replace(record.stored, messages=(*record.stored.messages, extra)))
    less = replace(record, stored=replace(record.stored, messages=rest))
    found = {a.name for a in check_round(more, PLAIN)} & set(KINDS)
    if attempt.code == 451:
        assert found == {AnomalyName.REJECTED_BUT_STORED}
    else:
        assert found == ({AnomalyName.DUPLICATED} if mine else set())
    if attempt.code == 250:
        assert {a.name for a in check_round(less, PLAIN)} & set(KINDS) == {AnomalyName.ACCEPTED_BUT_MISSING}


@given(SENDERS, st.randoms(use_true_random=False))
def test_the_order_of_attempts_and_copies_says_nothing(senders: list[Drawn], random: object) -> None:
    record = kept(senders)
    assert record.stored is not None
    copies = [*record.stored.messages[1:], *(copy(mail("s01"), server_id="x", attempt=n) for n in (1, 2))]
    planted = replace(record, stored=replace(record.stored, messages=tuple(copies)))
    attempts = list(planted.attempts)
    random.shuffle(attempts)
    random.shuffle(copies)
    stored = replace(record.stored, messages=tuple(copies))
    shuffled = replace(planted, attempts=tuple(attempts), stored=stored)

    def told(found: RoundRecord) -> list[tuple[object, ...]]:
        return [(a.name, a.message, a.attempts, sorted(a.copies)) for a in check_round(found, PLAIN)]

    assert sorted(map(str, told(planted))) == sorted(map(str, told(shuffled)))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), min_size=1, max_size=4))
def test_orders_are_those_of_brute_force(spans: list[tuple[int, int, bool]]) -> None:
    """Against the definition, over all permutations of all subsets that leave out only unknown ones."""
    edits = tuple(Delete(key=f"delete.{n}", messages=(f"g{n}",)) for n in range(len(spans)))
    attempts = tuple(
        tried(f"delete.{n}", None if unknown else 200, start + lasts, actor=n, released_ms=start)
        for n, (start, lasts, unknown) in enumerate(spans)
    )
    everyone = range(len(spans))
    expected = set()
    for size in range(len(spans) + 1):
        for order in permutations(everyone, size):
            if any(n not in order and not spans[n][2] for n in everyone):
                continue
            if all(
                not (not spans[b][2] and spans[b][0] + spans[b][1] < spans[a][0])
                for at, a in enumerate(order)
                for b in order[at + 1 :]
            ):
                expected.add(order)
    found = orders(executed(edits, attempts, ()))
    assert set(found) == expected
    assert len(found) == len(expected)


def test_replies_are_masked_so_that_equal_ones_count_together() -> None:
    operations = (send(mail("s01")), send(mail("s02")), send(mail("s03")))
    attempts = (
        tried(operations[0], 250, 1, text="250 2.0.0 Ok: queued as aB3dE5gH7jK9mN1pQ3sT5v"),
        tried(operations[1], 451, 2, text="4.3.5 Unable to process mail"),
        tried(operations[2], None, 3),
    )
    assert list(replies(executed(operations, attempts, ()))) == [
        "250 2.0.0 Ok: queued as ID",
        "451 4.3.5 Unable to process mail",
        "timed-out",
    ]
