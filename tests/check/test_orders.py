"""Which serial orders a round allows: real time, unknown outcomes, exchange, and the limit."""

from math import factorial

from mailrace.check import order_in_words, orders
from mailrace.check.orders import has_bulk
from mailrace.model.attempt import Attempt, Outcome, Word
from mailrace.model.operation import Delete, DeleteAll, DeleteSearch, Operation, ReadMessage, SetRead, SetTags

from tests.check.rounds import executed, mail, send, tried

ONE, TWO, THREE = (send(mail(f"s0{n}", "T")) for n in (1, 2, 3))
DELETE = Delete(key="delete.1", messages=("r00041g01",))


def allowed(operations: tuple[Operation, ...], *attempts: Attempt) -> tuple[tuple[int, ...], ...]:
    return orders(executed(operations, attempts, ()))


def test_concurrent_operations_come_in_every_order() -> None:
    done = tried("delete.1", 200, 3, actor=1)
    assert allowed((ONE, DELETE), tried(ONE, 250, 2), done) == ((0, 1), (1, 0))


def test_what_was_answered_before_another_was_released_stays_before_it() -> None:
    late = tried("delete.1", 200, 9, actor=1, released_ms=2.5)
    assert allowed((ONE, DELETE), tried(ONE, 250, 2), late) == ((0, 1),)
    assert allowed((ONE, DELETE), tried(ONE, 250, 2.5), late) == ((0, 1), (1, 0))


def test_an_unknown_operation_may_be_left_out_or_come_at_any_place() -> None:
    done = tried("delete.1", 200, 3, actor=1)
    assert set(allowed((ONE, DELETE), tried(ONE, None, 900), done)) == {(1,), (0, 1), (1, 0)}


def test_an_unknown_operation_precedes_nothing_and_follows_what_was_done() -> None:
    late = tried("delete.1", 200, 950, actor=1, released_ms=920)
    assert set(allowed((ONE, DELETE), tried(ONE, None, 900), late)) == {(1,), (0, 1), (1, 0)}
    early = tried("delete.1", 200, 1, actor=1)
    assert set(allowed((ONE, DELETE), tried(ONE, None, 900, released_ms=2), early)) == {(1,), (1, 0)}


def test_what_was_never_sent_is_left_out_always() -> None:
    lost = tried(ONE, None, 2, word=Word.LINK_LOST, outcome=Outcome.FAIL, released_ms=None)
    assert allowed((ONE, DELETE), lost, tried("delete.1", 200, 3, actor=1)) == ((1,),)


def test_retries_and_leads_are_not_operations_of_an_order() -> None:
    lead = mail("l01", malformed=True)
    leading = send(mail("s01", "T"), lead=lead)
    attempts = (
        tried(leading, 451, -3, message=lead, released_ms=-4),
        tried(leading, 451, 2),
        tried("delete.1", 200, 3, actor=1),
        tried(leading, 250, 9, number=2, released_ms=8),
    )
    assert allowed((leading, DELETE), *attempts) == ((0, 1), (1, 0))


def test_operations_that_differ_only_in_names_are_exchanged() -> None:
    attempts = [tried(operation, 250, 2) for operation in (ONE, TWO, THREE)]
    assert allowed((ONE, TWO, THREE), *attempts) == ((0, 1, 2),)
    spelt = send(mail("s02", "t"))
    assert allowed((ONE, spelt), tried(ONE, 250, 2), tried(spelt, 250, 2)) == ((0, 1),)
    other = send(mail("s02", "U"))
    assert allowed((ONE, other), tried(ONE, 250, 2), tried(other, 250, 2)) == ((0, 1), (1, 0))


def test_real_time_is_kept_between_those_that_look_alike() -> None:
    late = tried(TWO, 250, 9, released_ms=5)
    assert allowed((ONE, TWO), tried(ONE, 250, 2), late) == ((0, 1),)
    early = tried(TWO, 250, 2)
    assert allowed((ONE, TWO), tried(ONE, 250, 9, released_ms=5), early) == ((1, 0),)


def test_above_the_limit_the_oracle_is_not_applied() -> None:
    five = tuple(send(mail(f"s0{n}", f"T{n}")) for n in range(1, 6))
    record = executed(five, tuple(tried(operation, 250, 2) for operation in five), ())
    assert len(orders(record)) == factorial(5)
    six = (*five, send(mail("s06", "T6")))
    assert orders(executed(six, tuple(tried(operation, 250, 2) for operation in six), ())) == ()
    assert len(orders(record.plan)) == factorial(5)


def test_sixty_four_senders_cost_no_more_than_the_limit() -> None:
    many = tuple(send(mail(f"s{n:02d}", f"T{n}")) for n in range(1, 65))
    assert orders(executed(many, tuple(tried(operation, 250, 2) for operation in many), ())) == ()
    alike = tuple(send(mail(f"s{n:02d}", "T")) for n in range(1, 65))
    assert len(orders(executed(alike, tuple(tried(operation, 250, 2) for operation in alike), ()))) == 1


def test_orders_in_words_name_what_is_left_out() -> None:
    plan = executed((ONE, DELETE), (), ()).plan
    assert order_in_words(plan, (1, 0)) == "delete.1, send.1"
    assert order_in_words(plan, (1,)) == "delete.1 (without send.1)"
    assert order_in_words(plan, ()) == "nothing (without send.1, delete.1)"


def test_bulk_operations_act_on_several_messages() -> None:
    assert not has_bulk(executed((ONE, DELETE), (), ()).plan)
    for operation in (
        DeleteAll(key="delete_all.1"),
        DeleteSearch(key="delete_search.1", query="is:unread"),
        SetRead(key="set_read.1", read=True),
        SetRead(key="set_read.1", read=True, query="is:unread"),
    ):
        assert has_bulk(executed((ONE, TWO, operation), (), ()).plan)
        assert not has_bulk(executed((ONE, operation), (), ()).plan), (
            "there is one message that it can act on"
        )
    assert has_bulk(executed((SetRead(key="set_read.1", read=True, messages=("a", "b")),), (), ()).plan)
    assert not has_bulk(executed((ONE, TWO, ReadMessage(key="r", message="a")), (), ()).plan)
    assert has_bulk(executed((Delete(key="delete.1", messages=("a", "b")),), (), ()).plan)
    assert not has_bulk(executed((Delete(key="delete.1", messages=("a", "a")),), (), ()).plan)
    assert has_bulk(executed((SetTags(key="set_tags.1", messages=("a", "b"), tags=()),), (), ()).plan)
