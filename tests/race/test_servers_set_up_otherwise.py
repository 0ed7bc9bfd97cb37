"""Real servers that somebody else has set up: what they break one after the other is told, and is no race."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import scenario_from, shipped
from mailrace.targets import open_target

pytestmark = [pytest.mark.slow, pytest.mark.mailpit]
RealMailpit = Callable[[str], str]
VERSIONS = ["1.27.11", "1.30.5"]


@contextmanager
def started(name: str, *flags: str) -> Iterator[str]:
    """A real server with these flags, as the name of a target that is not ours."""
    server = open_target(name, ServerOptions(extra=flags))
    try:
        server.start()
        at = server.addresses
        yield f"{at.api}?smtp={at.smtp_host}:{at.smtp_port}"
    finally:
        server.stop()


def raced(target: str, tmp_path: Path, **send: Any) -> ScenarioResult:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2, **send}}]}
    request = RunRequest.of(target, Racing(rounds=20), Output(out=tmp_path / "out", formats=()))
    (result,) = run([scenario_from(data, Path(shipped()))], request).result.scenarios
    return result


@pytest.mark.parametrize("version", VERSIONS)
def test_one_message_id_on_a_server_that_ignores_duplicates(
    version: str, real_mailpit: RealMailpit, tmp_path: Path
) -> None:
    """The promise is then one copy for each Message-ID, and what is left to race is that."""
    with started(real_mailpit(version), "--ignore-duplicate-ids") as target:
        result = raced(target, tmp_path, message_id="shared")
    assert set(result.anomalies) <= {"duplicated"}, "S6 is open on these versions"
    assert dict(result.broken_serially) == {}
    assert any("--ignore-duplicate-ids" in said for said in result.not_looked)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("flags", "send", "name", "said"),
    [
        (
            ("--smtp-allowed-recipients", "@nobody.test$", "--smtp-ignore-rejected-recipients"),
            {},
            "accepted_but_missing",
            "--smtp-ignore-rejected-recipients",
        ),
        (("--tags-disable", "x-tags"), {"tags": ["{run}-{round}"]}, "tag_lost", "--tags-disable x-tags"),
        (
            ("--tags-disable", "plus-addresses"),
            {"tags": ["{run}-{round}"], "tags_via": "plus"},
            "tag_lost",
            "--tags-disable plus-addresses",
        ),
    ],
)
def test_what_a_setting_breaks_is_no_race(
    version: str,
    flags: tuple[str, ...],
    send: dict[str, Any],
    name: str,
    said: str,
    real_mailpit: RealMailpit,
    tmp_path: Path,
) -> None:
    with started(real_mailpit(version), *flags) as target:
        result = raced(target, tmp_path, **send)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason
    assert dict(result.anomalies) == {}
    assert list(result.broken_serially) == [name]
    assert "a broken promise, not a race" in result.reason
    assert any(said in one for one in result.not_looked), result.not_looked
