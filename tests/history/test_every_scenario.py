"""What a shipped scenario shows is replayed by the very command that its report prints."""

from pathlib import Path

import pytest
from mailrace.scenario import applies, load, shipped

from tests.history.printed import commands_in, one_line
from tests.running import mailrace

pytestmark = pytest.mark.slow

COSTLY = {
    "overlapping-deletions",
    "pop3-delete-beside-delete",
    "same-message-id-large",
    "shared-new-tag-8",
    "two-instances-shared-new-tag",
}
"""They hang a server, or need many mails or processes; they take no other way through the code."""


@pytest.mark.parametrize(
    "name", sorted({path.name.split(".")[0] for path in shipped().glob("*.race.yaml")} - COSTLY)
)
def test_what_a_shipped_scenario_shows_is_replayed_by_the_command_it_prints(
    name: str, tmp_path: Path
) -> None:
    needs = load(shipped() / f"{name}.race.yaml").needs
    target = "embedded@1.17.0" if applies(needs, "1.17.0") else "embedded@1.30.5"
    words = ["run", name, "-t", target, "--rounds", 25, "--until-hit", "--no-control", "--seed", 7]
    done = mailrace(*words, cwd=tmp_path, limit_s=120)
    assert done.returncode in (1, 3), done.stderr
    commands = commands_in((tmp_path / "reports" / "latest").resolve())
    assert bool(commands) == (done.returncode == 1)
    for command in commands:
        again = mailrace(*command, "--rounds", 5, cwd=tmp_path, limit_s=120)
        assert again.returncode in (1, 3), again.stdout + again.stderr
        assert "FIXED" not in again.stdout, "the very server that showed it"
    if not commands:
        assert "no witness" in one_line(mailrace("replay", cwd=tmp_path))
