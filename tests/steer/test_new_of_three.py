"""What three actors show and no two of them: said only where it is known what two come to."""

from types import SimpleNamespace
from typing import cast

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.consequences import Harm
from mailrace.steer.causes.grounds import Grounds
from mailrace.steer.causes.naming import Origin
from mailrace.steer.causes.repair import Repairs
from mailrace.steer.database_proxy.executions import Execution
from mailrace.steer.explore.bad_ends import BadEnd
from mailrace.steer.explore.graph import Graph, Node
from mailrace.steer.explore.state_space import StateSpace
from mailrace.steer.three import Three


@pytest.mark.parametrize(("is_whole", "new"), [(True, "what it breaks"), (False, "")])
def test_nothing_is_new_of_three_where_two_may_come_to_it_unseen(is_whole: bool, new: str) -> None:
    leaf, name = Node(()), AnomalyName.TAG_LOST
    end = BadEnd(
        execution=cast(Execution, None),
        names=frozenset({name}),
        breaks=frozenset({(name, "a")}),
        is_by_three=True,
        leaves=(leaf,),
    )
    space = SimpleNamespace(
        bad_leaves={leaf: end.names}, violating=((None, leaf),), graph=Graph(leaf, 1, is_whole)
    )
    origin = Origin("tag_lost", Harm.DATA, ("send",) * 3, None)
    grounds = Grounds(cast(StateSpace, space), None, {leaf: origin}, Repairs((), (), (0, 0), is_whole=True))
    three = Three(
        space=cast(StateSpace, space),
        grounds=grounds,
        bad=(end,),
        outcomes=1,
        run=1,
        asked=0,
        is_exhaustive=False,
        doubt="",
        refused=(),
    )
    assert [one.new for one in three.found(())] == [new]
    assert three.is_told_from_pairs is is_whole
