"""What a run may do on a server that is not ours: nobody's mail is pushed out, controls delete nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.model.result import Verdict
from mailrace.model.target_name import parse_target
from mailrace.race import choose_control
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import Scenario, load, scenario_from, shipped
from mailrace.targets import open_target


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server that another has started, by its address."""
    server = open_target("embedded@fixed", ServerOptions())
    server.start()
    yield f"{server.addresses.api}?smtp=127.0.0.1:{server.addresses.smtp_port}"
    server.stop()


def two_senders(**more: object) -> Scenario:
    return scenario_from(
        {
            "name": "two",
            "title": "t",
            "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}],
            "rounds": 400,
            "release": {"at": "last-byte", "profile": "throughput"},
            **more,
        },
        Path(shipped()),
    )


@pytest.mark.slow
def test_rounds_are_cut_where_more_would_push_others_mail_out(url: str, tmp_path: Path) -> None:
    found = run([two_senders()], RunRequest.of(url, Output(reports=tmp_path))).result.scenarios[0]
    # An empty server keeps 500; a round stores 2 messages, each tried once: 250 rounds.
    assert found.rounds + found.rounds_lost == 250
    assert any("Mailpit keeps 500 messages by default" in said for said in found.not_looked)


def test_rounds_that_were_asked_for_are_run(url: str, tmp_path: Path) -> None:
    options = RunRequest.of(url, Racing(rounds=5), Output(reports=tmp_path))
    found = run([two_senders()], options).result.scenarios[0]
    assert found.rounds + found.rounds_lost == 5


def test_a_control_never_deletes_there(url: str) -> None:
    scenario = load(shipped() / "shared-known-tag.race.yaml").model_copy(
        update={"controls": two_senders(controls=[{"scenario": "send-delete-all"}]).controls}
    )
    chosen, said = choose_control(scenario, parse_target(url))
    assert chosen is None
    assert any("never does so on a server that is not ours" in one for one in said)


def test_deletions_need_a_word(url: str, tmp_path: Path) -> None:
    scenario = load(shipped() / "send-delete-unrelated.race.yaml")
    found = run([scenario], RunRequest.of(url, Racing(rounds=3), Output(reports=tmp_path))).result.scenarios[
        0
    ]
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "--allow-deletions" in found.reason


@pytest.mark.slow
def test_a_control_with_far_larger_bodies_is_of_the_third_kind() -> None:
    scenario = two_senders(controls=[{"scenario": "same-message-id-large"}])
    chosen, _ = choose_control(scenario, parse_target("embedded@1.30.5"))
    assert chosen is not None
    assert chosen.kind == 3
