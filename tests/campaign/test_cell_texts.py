"""Cells and outcomes as texts: equal questions have equal keys, and a stranger's text runs nothing."""

import base64
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cells import cell, request, scenario
from mailrace import __version__
from mailrace.campaign.cell import (
    Cell,
    Outcome,
    Sent,
    outcome_from,
    scenario_cell,
    sent_from,
    text_of,
)
from mailrace.campaign.dispatch import who_did_what
from mailrace.campaign.kept import STATE, Kept
from mailrace.campaign.look import look
from mailrace.campaign.runs import named_here
from mailrace.campaign.workers import Workers, workers_of
from mailrace.model.errors import UsageError
from mailrace.model.request import Racing
from mailrace.scenario import load

from tests.targets.mailpit_stand_in import stand_in

CELL = cell("shared-new-tag")
DONE = Outcome(key=CELL.key, host="h", worker="0", files={"run.json": "{}"})


class Harmful:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_the_same_question_has_the_same_key_whenever_it_is_asked() -> None:
    asked = replace(request("embedded@1.27.11"), command="mailrace …", time_limit_s=3.0, ends=1.0)
    again = scenario_cell("look", scenario("shared-new-tag"), asked, (asked.target,))
    assert again == CELL
    assert again.key == CELL.key


def test_whatever_changes_the_answer_changes_the_key() -> None:
    asked = request("embedded@1.27.11")
    one = scenario("shared-new-tag")

    def key(**changed: object) -> str:
        return scenario_cell("look", one, replace(asked, **changed), (asked.target,)).key  # type: ignore[arg-type]

    others = [
        key(seed=4),
        key(mode="race"),
        key(racing=Racing(rounds=2, control=False, verdicts=7)),
        cell("shared-known-tag").key,
        cell("shared-new-tag", "embedded@fixed").key,
        replace(CELL, mailrace="0.0.1").key,
    ]
    assert len({*others, CELL.key}) == len(others) + 1


def test_a_cell_brings_along_the_user_s_own_messages_and_controls(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("Subject: x\n\nbody\n")
    (tmp_path / "own.race.yaml").write_text("name: own\nactors: [{send: {file: m.eml, count: 2}}]\n")
    asking = (
        "name: asks\nactors: [{send: {count: 2}}]\ncontrols: [{scenario: own, target: embedded@1.17.0}]\n"
    )
    (tmp_path / "asks.race.yaml").write_text(asking)
    asked = request("embedded@1.27.11")
    found = scenario_cell("look", load(tmp_path / "asks.race.yaml"), asked, (asked.target,))
    assert {name: base64.b64decode(held) for name, held in found.beside.items()} == {
        "m.eml": (tmp_path / "m.eml").read_bytes(),
        "own.race.yaml": (tmp_path / "own.race.yaml").read_bytes(),
    }
    assert str(tmp_path) not in text_of(found)


def test_texts_come_back_as_they_went() -> None:
    sent = Sent(cell=CELL, left_s=2.5, known=("a",), is_alone=False, topic="t")
    assert sent_from(text_of(sent)) == sent
    assert outcome_from(text_of(DONE), CELL) == DONE
    assert DONE.machine == "h, worker 0"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "no outcome"),
        ("[]", "no outcome"),
        ("[" * 100_000, "no outcome"),
        (text_of(replace(DONE, key="0" * 24)), "another cell"),
        (text_of(replace(DONE, files={"../../.bashrc": "x"})), "no such cell leaves"),
        (text_of(replace(DONE, files={"gate.json": "x"})), "no such cell leaves"),
        (text_of(replace(DONE, host="h" * 201)), "no outcome"),
    ],
    ids=["empty", "a list", "deep", "of another", "a path out", "of another kind", "a long name"],
)
def test_an_outcome_that_no_worker_of_ours_sends_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        outcome_from(text, CELL)


def test_a_stranger_s_state_runs_nothing(tmp_path: Path) -> None:
    kept, harmed = Kept(tmp_path / "s", 3), tmp_path / "harmed"
    for content in (pickle.dumps(Harmful(harmed)), b'{"key": 1}', text_of(replace(DONE, key="0")).encode()):
        (kept.folder / f"{CELL.key}.json").write_bytes(content)
        assert kept.outcome(CELL) is None
    assert not harmed.exists()
    kept.keep(DONE)
    assert kept.outcome(CELL) == DONE


def test_only_what_would_come_out_the_same_again_is_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 3)
    kept.keep(replace(DONE, why="it has no such version"))
    kept.keep(replace(DONE, is_whole=False))
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_a_state_is_of_one_seed_and_of_nothing_else(tmp_path: Path) -> None:
    Kept(tmp_path / "s", 3)
    with pytest.raises(UsageError, match="seed 3; give --seed 3"):
        Kept(tmp_path / "s", 4)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(UsageError, match="holds something else"):
        Kept(tmp_path / "other", 3)
    (tmp_path / "s" / STATE).write_bytes(pickle.dumps(3))
    with pytest.raises(UsageError, match="no state of a campaign"):
        Kept(tmp_path / "s", 3)


def test_a_worker_of_another_mailrace_says_so() -> None:
    found = look(Sent(cell=replace(CELL, mailrace="0.0.1")))
    assert (__version__ in found.why, "0.0.1" in found.step, found.files) == (True, True, {})


def test_a_worker_that_cannot_get_the_version_says_why_and_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILRACE_RELEASES_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MAILRACE_MAILPIT_DIR", raising=False)
    said: list[str] = []
    found = look(Sent(cell=cell("shared-new-tag", "mailpit@9.9.9")), said.append)
    assert "mailpit@9.9.9: neither downloaded" in found.why
    assert found.step == "put `mailrace install 9.9.9` on that machine"
    assert any("building it with Go" in sentence for sentence in said), "it was never tried"


def test_a_program_at_a_path_must_be_the_same_program(faulty: Callable[..., str]) -> None:
    target = faulty("swapped_bodies")
    sent = Sent(cell=replace(cell("shared-new-tag", target), programs={target: "0" * 64}))
    assert "is another program on" in look(sent).why


def test_what_failed_there_is_told_and_not_kept(tmp_path: Path) -> None:
    program = stand_in(tmp_path / "program", "v1.30.5")
    found = look(Sent(cell=cell("shared-new-tag", f"mailpit:{program}", "race")))
    assert (found.why, found.is_whole) == ("", False)
    assert '"verdict": "FAILED"' in found.files["run.json"]


def test_a_message_that_did_not_come_along_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "m.eml").write_text("Subject: x\n\nbody\n")
    (tmp_path / "own.race.yaml").write_text("name: own\nactors: [{send: {file: m.eml, count: 2}}]\n")
    asked = request("embedded@1.27.11")
    found = scenario_cell("look", load(tmp_path / "own.race.yaml"), asked, (asked.target,))
    assert "did not come along" in look(Sent(cell=replace(found, mails={}))).why


def test_a_cell_that_would_write_elsewhere_is_not_looked_at() -> None:
    out = base64.b64encode(b"x").decode()
    found = look(Sent(cell=replace(CELL, beside={"../../out": out})))
    assert "leads out of its folder" in found.why


def test_the_caller_s_own_names_stand_where_the_worker_s_stood() -> None:
    one = scenario("shared-new-tag").with_source(Path('a "b"/shared-new-tag.race.yaml'), {})
    files = {"run.json": f'"mailrace replay cell-{CELL.key} of from-{CELL.key}/shared-new-tag.race.yaml"'}
    found = named_here(files, CELL, Path("reports/x"), one)
    assert found["run.json"] == '"mailrace replay reports/x of a \\"b\\"/shared-new-tag.race.yaml"'


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "257", "two", "", "１", "tcp://h", "http://h:1", "tcp://h:0", "tcp://a b:1", "tcp://h:1/x"],
)
def test_workers_that_mean_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="tcp://"):
        workers_of(text)


def test_workers_that_mean_something() -> None:
    assert workers_of("8") == Workers(count=8)
    assert workers_of("tls://[::1]:8786") == Workers(address="tls://[::1]:8786")
    assert not workers_of("tcp://build-1.lan:8786").are_here


def test_who_did_what_is_counted_by_machine_and_worker() -> None:
    assert who_did_what({"b, worker 0": 1, "a, worker 1": 2}) == "a, worker 1: 2 cells; b, worker 0: 1 cell"


def test_a_cell_holds_plain_data_only() -> None:
    assert isinstance(CELL, Cell)
    assert sent_from(text_of(Sent(cell=CELL))).cell == CELL
    with pytest.raises(UsageError, match="no cell of a campaign"):
        sent_from(base64.b64encode(pickle.dumps(CELL)).decode())
