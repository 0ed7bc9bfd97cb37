"""A witness as columns of statements, and its guilty pair."""

from mailrace.model.result import ScheduleWitness, Step
from mailrace.steer.one_instance.witness import guilty_pair
from mailrace.steer.result.columns import columns

from tests.steer.lattice import lattice


def step(actor: str, number: int, sql: str, *args: str, result: str = "1 row", guilty: bool = False) -> Step:
    return Step(actor=actor, number=number, sql=sql, args=args, result=result, guilty=guilty)


WITNESS = ScheduleWitness(
    text="send.2@send.1:1",
    deviations=0,
    steps=(
        step("send.1", 1, "SELECT ID FROM tags WHERE Name = ?", "foo", result="no rows"),
        step("send.2", 1, "SELECT ID FROM tags WHERE Name = ?", "Foo", result="no rows", guilty=True),
        step("send.1", 2, "INSERT INTO tags ( Name ) VALUES ( ? )", "foo", guilty=True),
    ),
    outcome="send.1 250, send.2 451; stored: send.1 [foo], send.2 []",
    serial=(("send.1, send.2", "send.1 250, send.2 250; stored: send.1 [foo], send.2 [foo]"),),
    realised=10,
    repeats=10,
    tries=1,
)


def test_columns() -> None:
    assert (
        columns(WITNESS, width=80)
        == """\
     send.1                               send.2
     -----------------------------------  -----------------------------------
  1  SELECT ID FROM tags WHERE Name =
     'foo'
     → no rows
  2                                       SELECT ID FROM tags WHERE Name = ◀
                                          'Foo'
                                          → no rows
  3  INSERT INTO tags ( Name ) VALUES ◀
     ( 'foo' )
     → 1 row

It came to: send.1 250, send.2 451; stored: send.1 [foo], send.2 []
In the serial order send.1, send.2: send.1 250, send.2 250; stored: send.1
  [foo], send.2 [foo]

◀ exchange these two neighbours, and the outcome is a good one."""
    )


def test_a_stored_message_is_shown_by_its_name_only() -> None:
    stored = step("send.1", 1, "INSERT INTO mailbox (Created, ID) VALUES(?,?)", "…", "<send.1>")
    text = columns(ScheduleWitness(**{**fields(WITNESS), "steps": (stored,)}))
    assert "INSERT INTO mailbox (…) VALUES (<send.1>, …)" in text


def fields(witness: ScheduleWitness) -> dict[str, object]:
    return {name: getattr(witness, name) for name in ScheduleWitness.__slots__}


def test_the_guilty_pair_is_the_last_whose_exchange_mends_it() -> None:
    graph = lattice(2, 2)
    bad = object()
    fork = graph.root.edges[0].edges[1]  # after a1 b1
    mended = graph.root.edges[1].edges[0]
    assert fork is mended  # the grid does not tell orders apart, so no exchange mends anything
    leaf = graph.leaves()[0]
    assert guilty_pair((0, 1, 0, 1), graph, {leaf: bad}) is None
    assert guilty_pair((0, 1, 0, 1), graph, {}) == (2, 3)
