"""Servers that die or are lost on the way: said as what they are, replaced, and nothing is left behind."""

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from mailrace.model.anomaly import AnomalyName
from mailrace.model.errors import ScheduleMissed, TargetError, UsageError
from mailrace.model.operation import Message, PlannedRound, Send, ServerOptions
from mailrace.model.request import Steering
from mailrace.model.result import Rule, Verdict
from mailrace.scenario import scenario_from, shipped
from mailrace.steer import SteerRequest, steer
from mailrace.steer.explore.judge import learn_serial, serial_run
from mailrace.steer.explore.separate_instances import SeparateInstances
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import Round, round_on
from mailrace.steer.steering import opener_of
from mailrace.studies.absence import absence, no_others

from tests.steer.test_real_mailpit import scenario

pytestmark = pytest.mark.slow

DOMAIN = "mrabcdefgh.test"


def message(key: str, *, malformed: bool = False) -> Message:
    return Message(
        key=key, domain=DOMAIN, message_id=f"{key}@{DOMAIN}", to=(f"{key}@{DOMAIN}",), malformed=malformed
    )


def planned(*given: Message) -> PlannedRound:
    sends = tuple(Send(key=f"send.{n}", message=message(f"r00000s0{n}")) for n in (1, 2))
    return PlannedRound(index=0, token="r00000", given=given, operations=sends)


def new_rig() -> Rig:
    return Rig(opener_of("embedded@1.30.5", ServerOptions(), None, None))


@pytest.fixture
def two_senders() -> Iterator[Round]:
    rig = new_rig()
    rig.start(2)
    with round_on(rig, planned()) as round_:
        yield round_
    rig.stop()


def end(rig: Rig, number: int, by: signal.Signals) -> int:
    """Send a signal to a server and wait until it has ended; its process id."""
    instance = rig.instances[number]
    os.kill(instance.pid, by)
    for _ in range(500):
        if instance.how_it_ended:
            return instance.pid
        rig.loop.turn(0.01)
    raise AssertionError(f"it did not end by {by}")


def test_a_server_that_dies_in_an_order_crashed_and_is_replaced(two_senders: Round) -> None:
    rig = two_senders.rig
    separate = SeparateInstances(two_senders)
    judge, _ = learn_serial(separate, ServerOptions())
    separate.restart()
    first = end(rig, 0, signal.SIGSEGV)
    separate.step(1)
    while 1 in separate.enabled():
        separate.step(1)
    run = separate.finish()
    assert "signal 11" in run.record.crashed
    assert AnomalyName.CRASH in judge.names(run)
    assert rig.instances[0].pid != first
    separate.restart()
    assert separate.enabled() == (0, 1)
    separate.end()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_a_stranger_ends_did_not_crash_and_is_replaced(
    two_senders: Round, by: signal.Signals
) -> None:
    rig = two_senders.rig
    separate = SeparateInstances(two_senders)
    separate.restart()
    first = end(rig, 0, by)
    ended_in_order = rig.instances[0].how_it_ended == "exit status 0"  # as the embedded one does on SIGTERM
    while 1 in separate.enabled():
        separate.step(1)
    if ended_in_order:
        assert "exit status 0" in separate.finish().record.crashed
    else:
        with pytest.raises(ScheduleMissed, match=rf"ended from outside by signal {by.value} \({by.name}\)"):
            separate.finish()
    separate.restart()
    assert separate.enabled() == (0, 1)
    assert rig.instances[0].pid != first
    separate.end()


def test_a_server_that_a_stranger_stops_is_waited_for_and_does_not_hang(two_senders: Round) -> None:
    rig = two_senders.rig
    separate = SeparateInstances(two_senders)
    learn_serial(separate, ServerOptions())
    separate.begin()
    stopped = rig.instances[0].pid
    os.kill(stopped, signal.SIGSTOP)
    try:
        with pytest.raises(ScheduleMissed, match="stopped by a signal from outside"):
            separate.alone(0)
    finally:
        os.kill(stopped, signal.SIGCONT)
    run = serial_run(separate, (0, 1))
    assert not run.record.hung
    assert not run.record.crashed
    assert rig.instances[0].pid == stopped


def test_what_our_own_machine_lacks_is_no_hang(two_senders: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = two_senders.rig
    separate = SeparateInstances(two_senders)
    learn_serial(separate, ServerOptions())
    rig.instances[0].cut_links()

    def no_more(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("socket.create_connection", no_more)
    with pytest.raises(ScheduleMissed, match="too many open files"):
        separate.restart()


def test_nothing_is_left_behind() -> None:
    place = new_rig()
    place.start(2)
    pids = [i.pid for i in place.instances]
    place.stop()
    place.stop()
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_a_given_message_that_is_refused_is_the_targets_failure() -> None:
    place = new_rig()
    place.start(2)
    try:
        with (
            pytest.raises(TargetError, match="the given message r00000g01 was told 451"),
            round_on(place, planned(message("r00000g01", malformed=True))),
        ):
            pass
    finally:
        place.stop()


def test_a_server_that_is_not_ours_cannot_be_steered() -> None:
    with pytest.raises(UsageError, match="starts"):
        steer(scenario("shared-new-tag"), "http://127.0.0.1:1?smtp=127.0.0.1:2")


def test_what_is_no_question_of_order_is_not_passed_over() -> None:
    result = steer(scenario("no-rset-after-failure"), "embedded@1.30.5")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.not_looked
    assert "session" in result.reason


def test_a_scenario_that_needs_a_newer_version_does_not_apply() -> None:
    result = steer(scenario("send-rename-tag"), "embedded@1.17.0")
    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "1.19.0" in result.reason


def test_what_the_server_refuses_in_every_order_was_not_put_to_the_test() -> None:
    tags = [{"rename_tag": {"tag": f"{{run}}-no-{n}", "to": f"{{run}}-{n}"}} for n in (1, 2)]
    it = scenario_from({"name": "s", "title": "t", "needs": ">=1.19.0", "actors": tags}, Path(shipped()))
    result = steer(it, "embedded@1.30.5")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("no rename_tag was ever accepted")


def test_a_race_beside_an_operation_that_is_refused_clears_no_other_anomaly() -> None:
    senders = {"send": {"count": 2, "message_id": "shared", "body_bytes": 120}}
    refused = {"rename_tag": {"tag": "{run}-no", "to": "{run}-x"}}
    target = {"ignore_duplicate_ids": True}
    it = scenario_from({"name": "s", "title": "t", "target": target, "actors": [senders, refused]}, shipped())
    result = steer(it, "embedded@1.27.11")
    assert (result.verdict, *result.anomalies) == (Verdict.RACE, "duplicated"), result.reason
    assert result.schedules is not None
    assert result.schedules.exhaustive
    for looked in (absence(result, "tag_lost", Rule()), no_others(result, Rule())):
        assert not looked.is_shown
        assert looked.reason.startswith("no rename_tag was ever accepted")


def test_a_statement_that_comes_after_its_reply_is_counted(two_senders: Round) -> None:
    rig = two_senders.rig
    separate = SeparateInstances(two_senders)
    judge, _ = learn_serial(separate, ServerOptions())
    assert not separate.habits.strays
    separate.begin()
    with rig.loop.in_background():
        rig.instances[0].target.stored(DOMAIN)  # nobody of the round asked for that
    assert separate.habits.strays
    assert judge.serial
    separate.end()


def test_a_budget_that_is_too_small_is_said_and_is_no_pass() -> None:
    it = scenario("shared-new-tag")
    result = steer(it, "embedded@1.30.5", SteerRequest(steering=Steering(budget=2)))
    assert result.schedules is not None
    assert not result.schedules.exhaustive
    assert "budget of 2" in result.schedules.bound
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.advice


def test_a_round_that_shrinks_to_actors_of_another_protocol_is_steered() -> None:
    data = {
        "name": "two-senders-one-deletion",
        "given": [{"name": "old", "tags": ["{run}-{round}"]}],
        "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}, {"delete": {"messages": ["old"]}}],
        "title": "Two senders of a tag beside the deletion of its last holder",
    }
    result = steer(scenario_from(data, shipped()), "embedded@1.30.5")
    assert result.verdict is Verdict.RACE, result.reason
    assert {"rejected_but_stored", "tag_lost"} <= set(result.anomalies)
