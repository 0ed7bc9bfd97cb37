"""What a run leaves on a server that is not ours is counted, and `mailrace cleanup` removes just that."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.race import Limits
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import scenario_from, shipped
from mailrace.targets import ManagedTarget, open_target

from tests.running import mailrace

ROUNDS = 3


@pytest.fixture
def server() -> Iterator[ManagedTarget]:
    """A server with a stranger's tagged mail on it."""
    target = open_target("embedded@fixed", ServerOptions())
    assert isinstance(target, ManagedTarget)
    try:
        target.start()
        at = target.addresses
        with smtplib.SMTP(at.smtp_host, at.smtp_port, local_hostname="localhost") as stranger:
            stranger.sendmail(
                "a@b.test", ["c@d.test"], "From: a@b.test\r\nTo: c@d.test\r\nX-Tags: theirs\r\n\r\nhello\r\n"
            )
        yield target
    finally:
        target.stop()


def raced(server: ManagedTarget, folder: Path) -> tuple[int, int]:
    at = server.addresses
    request = RunRequest.of(
        f"{at.api}?smtp={at.smtp_host}:{at.smtp_port}",
        Racing(rounds=ROUNDS),
        Output(out=folder, formats=()),
    )
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}]}
    limits = Limits(skew_us=1e9)
    (result,) = run([scenario_from(data, Path(shipped()))], request, limits=limits).result.scenarios
    assert any("mailrace cleanup" in said for said in result.not_looked)
    return result.left_mails, result.left_tags


@pytest.mark.slow
def test_cleanup_removes_what_the_run_left_and_nothing_else(server: ManagedTarget, tmp_path: Path) -> None:
    mails, tags = raced(server, tmp_path / "one")
    held = server.api.messages().total
    assert mails == held - 1, "the stranger's is not ours"
    assert mails > 2 * ROUNDS
    assert tags >= ROUNDS
    raced(server, tmp_path / "two")
    done = mailrace("cleanup", tmp_path / "one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{mails} mails and {tags} tags" in " ".join(done.stdout.split())
    assert server.api.messages().total == held, "the other run's mails and the stranger's stay"
    assert "theirs" in server.api.tags()
    again = mailrace("cleanup", tmp_path / "one", cwd=tmp_path)
    assert "0 mails and 0 tags" in again.stdout
    assert mailrace("cleanup", tmp_path / "two", cwd=tmp_path).returncode == 0
    assert [row.subject for row in server.api.messages().messages] == [""]
    assert server.api.tags() == ("theirs",)


def test_a_run_on_servers_of_its_own_left_nothing(tmp_path: Path) -> None:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}]}
    request = RunRequest.of("embedded@fixed", Racing(rounds=1), Output(out=tmp_path / "own", formats=()))
    run([scenario_from(data, Path(shipped()))], request)
    done = mailrace("cleanup", tmp_path / "own", cwd=tmp_path)
    assert done.returncode == 2
    assert "left nothing anywhere" in done.stderr
