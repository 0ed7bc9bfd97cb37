"""A proxy before a server that is not ours answers for it now and then: no race, and no clean round."""

import re
from pathlib import Path

import pytest
from mailrace.model.result import Verdict

from tests.race.test_strangers_beside import raced
from tests.scripted_server import ScriptedServer


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_a_proxy_says_is_no_race_and_its_rounds_are_not_clean(status: int, tmp_path: Path) -> None:
    def answered(path: str) -> tuple[int, bytes] | None:
        """In three raced rounds the proxy answers who deletes a tag; in all others the server does."""
        if not path.startswith("/api/v1/tags/"):
            return None
        return (status, b"<html>busy</html>") if re.search(r"r0000[2-4]", path) else (200, b"ok")

    with ScriptedServer(when_raced=True, rest=answered) as server:
        actors = [
            {"send": {"count": 2, "tags": ["{run}-{round}-t"]}},
            {"delete_tag": {"tag": "{run}-{round}-t"}},
        ]
        result = raced(server, tmp_path, rounds=6, actors=actors)
    assert (result.verdict, dict(result.anomalies)) == (Verdict.INCONCLUSIVE, {})
    assert (result.rounds, result.rounds_refused) == (3, 3)
    assert any("was answered by a proxy before the server" in said for said in result.not_looked)
