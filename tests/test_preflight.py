"""What is said before the first mail: what is missing ends it, what cannot come out has its command."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.model.errors import TargetError, UsageError
from mailrace.model.operation import ServerOptions
from mailrace.model.request import Racing, RunRequest, ServerUse
from mailrace.model.target import Target
from mailrace.preflight import preflight, unknown_controls
from mailrace.scenario import Scenario, find, load, scenario_from
from mailrace.targets import open_target, parse_target

SHARED, LAST, ALL, RSET = (
    load(find([name])[0])
    for name in ("shared-new-tag", "send-delete-last-holder", "send-delete-all", "no-rset-after-failure")
)


def lonely(folder: Path, name: str = "lonely") -> Scenario:
    return scenario_from({"name": name, "title": "t", "actors": [{"send": {"count": 2}}]}, folder)


@pytest.fixture
def guest() -> Iterator[Target]:
    """A server that is not ours: only its ports are known."""
    target = open_target("embedded@1.17.1", ServerOptions())
    target.start()
    yield target
    target.stop()


def url_of(target: Target) -> str:
    where = target.addresses
    return f"{where.api}?smtp={where.smtp_host}:{where.smtp_port}"


def test_where_all_can_come_out_nothing_is_said() -> None:
    assert preflight([SHARED, LAST], RunRequest.of("embedded", seed=1)) == ()
    assert preflight([SHARED, LAST], RunRequest.of("embedded", seed=1, mode="steer")) == ()


@pytest.mark.parametrize("missing", ["mailpit:/none", "http://127.0.0.1:9?smtp=127.0.0.1:9"])
def test_every_target_is_looked_for_before_anything_is_started(missing: str) -> None:
    targets = [parse_target("embedded"), parse_target(missing)]
    with pytest.raises(TargetError):
        preflight([SHARED], RunRequest.of("embedded", seed=1), targets)


def test_a_race_that_can_never_be_passed_is_named_with_what_could(tmp_path: Path) -> None:
    (said,) = preflight([lonely(tmp_path)], RunRequest.of("embedded", seed=1))
    assert said == (
        "lonely on embedded@fixed: it can show a race, and never PASS, for it names no control for such a "
        "target. What can answer it: `mailrace steer lonely --target embedded@fixed`"
    )
    alone = RunRequest.of("embedded", Racing(control=False), seed=1)
    assert preflight([lonely(tmp_path)], alone) == (), "no control, as asked"
    assert preflight([lonely(tmp_path)], RunRequest.of("embedded", seed=1).without_control()) == ()


def test_what_steer_cannot_look_at_is_to_be_raced() -> None:
    (said,) = preflight([RSET, SHARED], RunRequest.of("embedded@1.30.5", seed=1, mode="steer"))
    assert said.startswith("no-rset-after-failure on embedded@1.30.5: steer cannot look at it")
    assert "`mailrace run no-rset-after-failure --target embedded@1.30.5`" in said


def test_scenarios_for_other_versions_only_are_said() -> None:
    newer = load(find(["send-rename-tag"])[0])
    assert preflight([newer], RunRequest.of("embedded@1.17.0", seed=1)) == (
        "None of the scenarios is for embedded@1.17.0 (1.17.0), so nothing will be looked at there.",
    )


def test_a_server_that_is_not_ours_has_limits(guest: Target) -> None:
    url = url_of(guest)
    said = preflight([SHARED, LAST, ALL], RunRequest.of(url, seed=1))
    of = {words.split(" on http")[0]: words for words in said}
    assert set(of) == {"shared-new-tag", "send-delete-last-holder", "send-delete-all"}
    assert "of kind 3" in of["shared-new-tag"]
    assert (
        f"mailrace run send-delete-last-holder --target '{url}' --allow-deletions"
        in of["send-delete-last-holder"]
    )
    assert "`mailrace steer send-delete-all --target mailpit@1.17.1`" in of["send-delete-all"]
    allowed = RunRequest.of(url, ServerUse(allow_deletions=True), seed=1)
    assert "never PASS" in preflight([LAST], allowed)[0]


def test_a_server_that_is_not_ours_is_not_steered() -> None:
    url = "http://127.0.0.1:9?smtp=127.0.0.1:9"
    with pytest.raises(UsageError, match=r"race it: `mailrace run shared-new-tag --target 'http"):
        preflight([SHARED], RunRequest.of(url, seed=1, mode="steer"))


def test_two_scenarios_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both are named lonely"):
        preflight([lonely(tmp_path), lonely(tmp_path)], RunRequest.of("embedded", seed=1))


def test_a_control_that_is_nowhere_is_found_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "own.race.yaml"
    file.write_text(
        "name: own\ntitle: t\nactors:\n  - send: {count: 2}\n"
        "controls:\n  - {target: embedded@1.17.0}\n  - {scenario: same-mesage-id-small}\n"
    )
    (mistake,) = unknown_controls(load(file))
    assert str(mistake) == (
        f'{file}:7:6: controls.1.scenario: "same-mesage-id-small" is no scenario of this folder or of the '
        "shipped ones; did you mean same-message-id-small?"
    )
    assert unknown_controls(SHARED) == ()
