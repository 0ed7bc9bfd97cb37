"""What a server draws anew in each run is told from what it picks among a few, and from other statements."""

from mailrace.steer.database_proxy.drawn import Drawn, masked, tokens_of
from mailrace.steer.database_proxy.rqlite import Call

ASK = "SELECT COUNT(*) FROM numbers WHERE Number = ?"


def learned(one: list[Call], other: list[Call]) -> Drawn:
    drawn = Drawn()
    drawn.compare(one, other)
    return drawn


def holds(drawn: Drawn, call: Call) -> bool:
    return drawn.pattern_of(tokens_of(call[0]), call[1]) is not None


def test_a_number_and_a_trace_that_no_other_run_has_are_drawn() -> None:
    trace = "SELECT 1 /* trace=%s */"
    drawn = learned([(ASK, (4001,)), (trace % "a1f0", ())], [(ASK, (4002,)), (trace % "b2e9", ())])
    assert holds(drawn, (ASK, (4711,)))
    assert holds(drawn, (trace % "c3d8", ()))
    assert not holds(drawn, ("SELECT 2 /* trace=c3d8 */", ()))


def test_what_is_picked_among_a_few_comes_again_and_is_not_drawn() -> None:
    """The order in which a map is walked: taken for drawn, only one of its orders would be looked at."""
    assert not learned([(ASK, (-1,)), (ASK, (-2,))], [(ASK, (-2,)), (ASK, (-1,))]).patterns


def test_where_other_statements_come_nothing_more_is_compared() -> None:
    assert not learned([("SELECT 1", ()), (ASK, (4001,))], [("SELECT 1, 2", ()), (ASK, (4002,))]).patterns


def test_a_value_that_a_run_before_had_is_said() -> None:
    drawn, first, second = Drawn(), object(), object()
    drawn.note(4001, first, ASK)
    drawn.note(4001, first, ASK)
    assert drawn.stale == ""
    drawn.note(4001, second, ASK)
    assert drawn.stale == ASK


def test_names_of_drawn_values_are_masked_until_an_actor_is_known() -> None:
    assert masked("INSERT [<send.1~1>, <send.2>]") == "INSERT [<drawn>, <send.2>]"
