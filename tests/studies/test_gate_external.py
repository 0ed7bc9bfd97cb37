"""A gate to a server that is not ours: raced; a hit is proof, and a clean one is no yes without a control."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Liveness, Target
from mailrace.targets import open_target

from tests.running import mailrace

pytestmark = pytest.mark.slow


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Somebody else's server: mailrace is told of its ports only."""
    target = open_target(request.param, ServerOptions())
    target.start()
    yield target
    target.stop()


def gate(server: Target, folder: Path, *words: str) -> tuple[int, dict[tuple[str, str], str]]:
    where = server.addresses
    url = f"{where.api}?smtp={where.smtp_host}:{where.smtp_port}"
    done = mailrace("gate", "--from", "embedded@1.17.1", "--to", url, *words, "--out", "g", cwd=folder)
    document = json.loads((folder / "g" / "gate.json").read_text())
    assert document["mode"] == "race", done.stderr
    return done.returncode, {(f["scenario"], f["anomaly"]): f["change"] for f in document["findings"]}


@pytest.mark.parametrize("server", ["embedded@1.17.0"], indirect=True)
def test_a_new_race_of_it_is_1(server: Target, tmp_path: Path) -> None:
    # 30 hits of 2,000 pairs at the 5 % of the worst minute: fewer with a chance below 1e-15.
    status, changes = gate(server, tmp_path, "shared-new-tag", "--rounds", "2000")
    assert (status, changes) == (1, {("shared-new-tag", "rejected_but_stored"): "new"})


@pytest.mark.parametrize("server", ["embedded@1.17.1"], indirect=True)
def test_a_clean_one_is_3_for_only_a_control_of_the_third_kind_is_there(
    server: Target, tmp_path: Path
) -> None:
    status, changes = gate(server, tmp_path, "shared-new-tag", "send-delete-all", "--rounds", "30")
    assert (status, set(changes.values())) == (3, {"could not look"})
    assert server.liveness() is Liveness.ALIVE
