"""What a run leaves on a server that is not ours is counted, and `mailrace cleanup` removes just that."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

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


def url(server: ManagedTarget) -> str:
    at = server.addresses
    return f"{at.api}?smtp={at.smtp_host}:{at.smtp_port}"


def cleanup(server: ManagedTarget, folder: Path) -> CompletedProcess[str]:
    return mailrace("cleanup", folder, "--target", url(server), cwd=folder.parent)


def raced(server: ManagedTarget, folder: Path) -> tuple[int, int]:
    request = RunRequest.of(
        url(server),
        Racing(rounds=ROUNDS),
        Output(out=folder, formats=()),
    )
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2, "tags": ["{run}-{round}"]}}]}
    limits = Limits(skew_us=1e9)
    (result,) = run([scenario_from(data, Path(shipped()))], request, limits=limits).result.scenarios
    assert any(f"mailrace cleanup {folder} --target '{url(server)}'" in said for said in result.not_looked)
    return result.left_mails, result.left_tags


@pytest.mark.slow
def test_cleanup_removes_what_the_run_left_and_nothing_else(server: ManagedTarget, tmp_path: Path) -> None:
    mails, tags = raced(server, tmp_path / "one")
    held = server.api.messages().total
    assert mails == held - 1, "the stranger's is not ours"
    assert mails > 2 * ROUNDS
    assert tags >= ROUNDS
    raced(server, tmp_path / "two")
    done = cleanup(server, tmp_path / "one")
    assert done.returncode == 0, done.stderr
    assert f"{mails} mails and {tags} tags" in " ".join(done.stdout.split())
    assert server.api.messages().total == held, "the other run's mails and the stranger's stay"
    assert "theirs" in server.api.tags()
    again = cleanup(server, tmp_path / "one")
    assert "0 mails and 0 tags" in again.stdout
    assert cleanup(server, tmp_path / "two").returncode == 0
    assert [row.subject for row in server.api.messages().messages] == [""]
    assert server.api.tags() == ("theirs",)


def test_a_run_on_servers_of_its_own_left_nothing(tmp_path: Path) -> None:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}]}
    request = RunRequest.of("embedded@fixed", Racing(rounds=1), Output(out=tmp_path / "own", formats=()))
    run([scenario_from(data, Path(shipped()))], request)
    done = mailrace("cleanup", tmp_path / "own", cwd=tmp_path)
    assert done.returncode == 2
    assert "left nothing anywhere" in done.stderr


def test_a_stranger_s_folder_names_no_server_and_no_other_mail(server: ManagedTarget, tmp_path: Path) -> None:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}]}
    own = RunRequest.of("embedded@fixed", Racing(rounds=1), Output(out=tmp_path / "theirs", formats=()))
    run([scenario_from(data, Path(shipped()))], own)
    plan = tmp_path / "theirs" / "plan.json"
    held = json.loads(plan.read_text())
    held |= {"target": url(server), "targets": [url(server)], "run": "mr"}
    plan.write_text(json.dumps(held))
    done = mailrace("cleanup", tmp_path / "theirs", cwd=tmp_path)
    assert done.returncode == 2
    assert f"name the server yourself, --target '{url(server)}'" in done.stderr
    for token in ("", "abc", "mr", "c", "d.test", "mr0000000", None, 7, ["mr00000000"]):
        plan.write_text(json.dumps(held | {"run": token}))
        done = cleanup(server, tmp_path / "theirs")
        assert done.returncode == 2, (token, done.stdout)
        assert "Traceback" not in done.stderr
    assert server.api.messages().total == 1
    assert server.api.tags() == ("theirs",)
