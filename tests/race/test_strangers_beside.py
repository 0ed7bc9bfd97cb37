"""On a server that is not ours others delete, empty and start anew: none of it is blamed on a race."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.request import ServerUse
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


SENDERS: dict[str, Any] = {"send": {"count": 2}}


def raced(
    server: ScriptedServer, tmp_path: Path, rounds: int = 6, actors: Sequence[dict[str, Any]] = (SENDERS,)
) -> ScenarioResult:
    data = {"name": "s", "title": "t", "actors": list(actors)}
    request = RunRequest.of(
        server.name,
        Racing(rounds=rounds),
        Output(out=tmp_path / "out", formats=()),
        ServerUse(allow_deletions=True),
    )
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


class Shared(ScriptedServer):
    """A good server on which something happens to the rows once so many raced mails have been stored."""

    def __init__(self, at: tuple[int, ...], happens: Callable[[list[dict[str, Any]]], None]) -> None:
        super().__init__(when_raced=True, rest=lambda path: (200, b"ok") if path == READS else None)
        self._at, self._happens, self._store = list(at), happens, self.box.store
        self.box.store = self._stored  # type: ignore[method-assign]

    def _stored(self, recipients: list[str], content: bytes, **how: bool) -> None:
        self._store(recipients, content, **how)
        if self._at and self.met >= self._at[0]:
            self._at.pop(0)
            with self.box.lock:
                self._happens(self.box.rows)


READS = "/api/v1/messages"
"""Where messages are marked read."""


def mark_all(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        row["Read"] = True


@pytest.mark.slow
def test_a_stranger_who_opens_mails_makes_no_race(tmp_path: Path) -> None:
    with Shared((6, 8, 10), mark_all) as server:
        result = raced(server, tmp_path)
    assert (result.rounds, result.rounds_lost, dict(result.anomalies)) == (6, 0, {})


@pytest.mark.slow
def test_a_stranger_who_marks_all_beside_one_who_marks_makes_no_race(tmp_path: Path) -> None:
    actors = [SENDERS, {"set_read": {"query": "to:@{run}.test"}}]
    with Shared((6,), mark_all) as server:
        result = raced(server, tmp_path, actors=actors)
    assert (result.verdict, dict(result.anomalies)) == (Verdict.INCONCLUSIVE, {})
    assert any("was marked read by somebody" in said for said in result.not_looked)


class Emptied(Visited):
    """Emptied while it is looked at, when both mails that tell of it are there, and once more in the next
    block."""

    def __init__(self) -> None:
        super().__init__("all")
        self._store = self.box.store
        self.box.store = self._stored  # type: ignore[method-assign]

    def _stored(self, recipients: list[str], content: bytes, **how: bool) -> None:
        self._store(recipients, content, **how)
        if self.visits == 1 and self.met >= 24:
            self.visits += 1
            with self.box.lock:
                self.box.rows.clear()


@pytest.mark.slow
def test_a_stranger_who_empties_it_again_and_again_makes_no_race(tmp_path: Path) -> None:
    with Emptied() as server:
        result = raced(server, tmp_path, rounds=20)
    assert server.visits == 2
    assert (result.verdict, dict(result.anomalies)) == (Verdict.INCONCLUSIVE, {})


@pytest.mark.slow
def test_a_clock_that_is_set_back_over_there_is_no_race(tmp_path: Path) -> None:
    """It goes on from before, and has caught up when the operations are run one after the other."""
    arrived = iter([*range(1_000, 1_010), *range(1_002, 1_100)])

    class Stamping(Shared):
        def _stored(self, recipients: list[str], content: bytes, **how: bool) -> None:
            super()._stored(recipients, content, **how)
            with self.box.lock:
                self.box.rows[0]["Created"] = f"2026-01-01T00:00:00.{next(arrived) % 1000:03d}Z"
                self.box.rows.sort(key=lambda row: str(row["Created"]), reverse=True)

    with Stamping((), mark_all) as server:
        result = raced(server, tmp_path)
    assert (result.rounds, dict(result.anomalies), result.broken_serially) == (6, {}, {})


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
