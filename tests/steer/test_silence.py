"""Silent servers: that one hangs at one place says nothing of another, where it may only be slow."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.operation import ServerOptions
from mailrace.model.result import Verdict
from mailrace.scenario import Plan
from mailrace.scenario.load import scenario_from
from mailrace.steer import SteerRequest, steer
from mailrace.steer.database_proxy.proxy import DatabaseProxy
from mailrace.steer.database_proxy.rqlite import Answer, Done, Rows
from mailrace.steer.explore.graph import Node
from mailrace.steer.explore.programs import PlannedStep
from mailrace.steer.one_instance.many_connections import behind_locks
from mailrace.steer.servers.instance import Instance
from mailrace.steer.servers.liveness import ASKED, HANG_S, Silence, place_of
from mailrace.steer.surveying import Surveying
from mailrace.studies.survey.relations import pairs
from mailrace.targets import parse_target

from tests.steer.test_faulty import A_DELETION

SHORT_S = HANG_S / 2


def test_one_lock_that_is_waited_for_in_vain_says_nothing_of_another() -> None:
    node = Node(((), ()), steps={actor: PlannedStep(((text, ()),), text) for actor, text in enumerate("ab")})
    other = replace(node, steps={0: node.steps[0]})
    silence = Silence({behind_locks(node)})
    began = time.monotonic() - 1.0
    assert silence.is_hang(began, behind_locks(node))
    assert not silence.is_hang(began, behind_locks(other))


def test_a_place_is_waited_for_in_full_before_it_is_known_to_hang() -> None:
    silence, began = Silence(), time.monotonic()
    assert not silence.is_hang(began - SHORT_S, "here")
    assert silence.is_hang(began - HANG_S, "here")
    assert silence.is_hang(began - SHORT_S, "here")
    assert not silence.is_hang(began - SHORT_S, "there")


def test_where_a_server_answers_nothing_whoever_waits_waits_in_vain() -> None:
    silence, began = Silence(), time.monotonic()
    assert silence.is_hang(began - HANG_S, f"{ASKED}here")
    assert silence.is_hang(began - SHORT_S, "here")
    assert not silence.is_hang(began - SHORT_S, "there")


def test_who_waits_in_vain_does_not_tell_that_the_server_answers_nothing() -> None:
    silence, began = Silence(), time.monotonic()
    assert silence.is_hang(began - HANG_S, "here")
    assert not silence.is_hang(began - SHORT_S, f"{ASKED}here")


def test_a_known_place_is_waited_for_twice_as_long_as_anything_took() -> None:
    silence, began = Silence({"here"}), time.monotonic()
    silence.ended(began - SHORT_S * 0.75)
    assert not silence.is_hang(began - SHORT_S, "here")


def test_what_is_to_be_shown_is_waited_for_in_full_again() -> None:
    silence, began = Silence({"here"}), time.monotonic()
    silence.ended(began - SHORT_S)
    silence.forget()
    assert not silence.is_hang(began - SHORT_S, "here")
    assert silence.longest_s >= SHORT_S


def _place(*answers: Answer, sql: str = "SELECT Value FROM kept") -> str:
    ran = SimpleNamespace(instance=0, sql=sql, calls=((sql, ()),), answers=answers, actor="a1")
    waits = SimpleNamespace(instance=0, sql="DELETE FROM tags", calls=(), answers=(), actor="a1")
    other = SimpleNamespace(instance=1, sql="SELECT 1", calls=(), answers=(Done(0, 1),), actor="a2")
    proxy = cast(DatabaseProxy, SimpleNamespace(journal=[ran, waits, other]))
    return place_of(proxy, [cast(Instance, SimpleNamespace(index=0))])


def test_a_place_is_the_last_statement_and_what_it_was_told() -> None:
    assert _place(Rows(("a",), ((1,),))) != _place(Rows(("a",), ((10,),)))
    assert _place(Rows(("a",), ((1,),))) != _place(Rows(("a",), ()))
    assert _place(Done(0, 1)) != _place(Done(0, 1), sql="UPDATE kept SET Value = 1")
    assert _place() != _place(Done(0, 1))


def test_an_id_that_is_drawn_makes_no_other_place() -> None:
    first, second = (Rows(("ID",), ((name * 22,),)) for name in "ab")
    assert _place(first) == _place(second)


@pytest.mark.slow
def test_who_is_slow_does_not_hang_though_the_server_was_seen_to(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    """The same statements, and the pair that hangs is looked at first, on the same servers."""
    target = parse_target(faulty("hangs_beside_a_deletion_and_is_slow_beside_an_edit"))
    by_name = {pair.name: pair.scenario for pair in pairs()}
    servers = Surveying(target, ServerOptions(), tmp_path)
    found = []
    try:
        for other in ("delete", "set tags"):
            scenario = scenario_from(by_name[f"send ∥ {other}, nothing in common"], tmp_path)
            found.append(servers.look(Plan(scenario, 0, "mrsilence00").round(0)).space.anomalies)
    finally:
        servers.stop()
    assert found == [{AnomalyName.HANG}, frozenset()]


@pytest.mark.slow
def test_no_hang_is_shown_by_a_schedule_that_is_slow_where_another_hangs(
    tmp_path: Path, faulty: Callable[..., str]
) -> None:
    """Both come to one place, and the one that hangs is none of one server's."""
    target = faulty("hangs_where_one_server_never_comes_and_is_slow_elsewhere")
    result = steer(scenario_from(A_DELETION, tmp_path), target, SteerRequest(realise_s_max=5.0))
    assert result.verdict is not Verdict.RACE, result.reason
    assert result.schedules is not None
    assert "split_only" in {one.fate for one in result.schedules.violations if "hang" in one.anomalies}
