"""On a server that is not ours others delete, empty and start anew: none of it is blamed on a race."""

import json
import threading
from pathlib import Path

import pytest
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.race import Limits
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import scenario_from, shipped

from tests.scripted_server import ScriptedServer

LIMITS = Limits(reply_s=0.6, look_s=0.3, connect_s=0.6, skew_us=1e9, serial_rounds=1)


class Visited(ScriptedServer):
    """A good server on which a stranger deletes, once, when so many raced mails have met.

    what   "all", "newest" (the newest page of five), "oldest" (all but the newest five, as --max 5 does)
    """

    def __init__(self, what: str) -> None:
        super().__init__(when_raced=True, rest=self.visit)
        self.what = what
        self.visits = 0
        self._once = threading.Lock()

    def visit(self, path: str) -> tuple[int, bytes] | None:
        with self._once:
            if "/search" in path and self.met >= 6 and not self.visits:
                self.visits += 1
                with self.box.lock:
                    rows = self.box.rows
                    kept = {"all": [], "newest": rows[5:], "oldest": rows[:5]}[self.what]
                    self.box.rows[:] = kept
        return None


def raced(server: ScriptedServer, tmp_path: Path, rounds: int = 6) -> ScenarioResult:
    data = {"name": "s", "title": "t", "actors": [{"send": {"count": 2}}]}
    request = RunRequest.of(server.name, Racing(rounds=rounds), Output(out=tmp_path / "out", formats=()))
    (result,) = run([scenario_from(data, Path(shipped()))], request, limits=LIMITS).result.scenarios
    return result


@pytest.mark.slow
@pytest.mark.parametrize("what", ["all", "newest", "oldest"])
def test_a_stranger_who_deletes_makes_no_race(what: str, tmp_path: Path) -> None:
    with Visited(what) as server:
        result = raced(server, tmp_path)
    assert server.visits == 1
    assert result.verdict is Verdict.INCONCLUSIVE
    assert dict(result.anomalies) == {}
    assert result.rounds_refused > 0
    assert any("somebody deleted or emptied it" in said for said in result.not_looked)


class Hiding(Visited):
    """After the visit it no longer shows the mails that tell of it."""

    def visit(self, path: str) -> tuple[int, bytes] | None:
        found = super().visit(path)
        return (500, b"no") if self.visits and "%40s." in path else found


@pytest.mark.slow
def test_where_the_mails_that_tell_of_a_stranger_are_not_shown_nothing_is_blamed_on_a_race(
    tmp_path: Path,
) -> None:
    with Hiding("all") as server:
        result = raced(server, tmp_path)
    assert server.visits == 1
    assert (result.verdict, dict(result.anomalies)) == (Verdict.INCONCLUSIVE, {})
    assert any("could not be looked for" in said for said in result.not_looked)


@pytest.mark.slow
def test_a_server_that_loses_a_raced_mail_by_itself_is_a_race_still(tmp_path: Path) -> None:
    with ScriptedServer(copies=0, when_raced=True) as server:
        result = raced(server, tmp_path)
    assert result.verdict is Verdict.RACE
    assert dict(result.anomalies) == {"accepted_but_missing": 12}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"DuplicatesIgnored": True}, "--ignore-duplicate-ids"),
        ({"MessageRelay": {"Enabled": True}}, "--smtp-relay-all"),
        ({"ChaosEnabled": True}, "Sender 451 in 20 %"),
    ],
)
def test_what_a_server_tells_of_its_settings_is_said(
    told: dict[str, object], said: str, tmp_path: Path
) -> None:
    triggers = {
        "Sender": {"ErrorCode": 451, "Probability": 20},
        "Recipient": {"ErrorCode": 451, "Probability": 0},
    }

    def rest(path: str) -> tuple[int, bytes] | None:
        if path == "/api/v1/webui":
            return 200, json.dumps(told).encode()
        return (200, json.dumps(triggers).encode()) if path == "/api/v1/chaos" else None

    with ScriptedServer(rest=rest) as server:
        result = raced(server, tmp_path, rounds=1)
    assert any(said in one for one in result.not_looked), result.not_looked
