"""`--time-limit` of every command that looks at a server: it ends with what it has, on one that hangs too."""

import json
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mailrace.cli import command
from mailrace.model.request import Output, Racing, RunRequest
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.survey import PairVerdict
from mailrace.model.time_limit import CUT_OFF, OUT_OF_TIME, TimeOver, over_by
from mailrace.run import run
from mailrace.scenario import load, shipped
from mailrace.studies.bisect import Answer, Probed, Search, told
from mailrace.studies.survey.document import NOT_LOOKED
from mailrace.studies.survey.relations import Pair
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Found
from mailrace.studies.survey.whole import Asked, survey
from mailrace.targets import parse_target

ENDED = "the time limit ended"
LIMIT_S = 0.5


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


HANGING = {
    "run": "run shared-new-tag distinct-tags -t {memory}",
    "steer": "steer shared-new-tag distinct-tags -t {store}",
    "gate, steered": "gate shared-new-tag --from {store} --to embedded@fixed",
    "gate, raced": "gate shared-new-tag --from embedded@fixed --to {memory} --mode race",
    "matrix": "matrix --versions {store},embedded@fixed --scenarios shared-new-tag",
    "retries": "retries shared-new-tag -t {memory}",
    "bisect": "bisect shared-new-tag --good {good} --bad {bad} --versions {good},{bad} --mode race",
}


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", ["answers_no_mail", "lists_drip"])
@pytest.mark.parametrize("words", HANGING.values(), ids=HANGING)
def test_a_command_ends_on_a_server_that_hangs(
    words: str, fault: str, faulty: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = {
        "memory": faulty(fault, meeting="memory"),
        "store": faulty(fault),
        "good": faulty(fault, of="1.30.5", meeting="memory"),
        "bad": faulty(fault, of="1.17.0", meeting="memory"),
    }
    line = f"{words.format(**names)} --time-limit {LIMIT_S}"
    status = command()(shlex.split(line), standalone_mode=False)
    said = capsys.readouterr()
    assert status == 3, said.err
    assert ENDED in " ".join(said.out.split())
    assert "PASS" not in said.out


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_was_seen_before_the_limit_is_kept_and_the_rest_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A matrix that is cut short leaves a whole document, with a cell for each that was asked for."""
    line = "matrix --versions embedded@1.17.0,embedded@fixed --scenarios distinct-tags --mode race"
    status = command()(
        [*shlex.split(line), "--rounds", "20000", "--time-limit", str(LIMIT_S), "--out", "m", "--json"],
        standalone_mode=False,
    )
    assert status == 3
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["target"] for cell in cells] == ["embedded@1.17.0", "embedded@fixed"]
    assert {cell["verdict"] for cell in cells} == {"INCONCLUSIVE"}
    assert cells[1]["text"] == f"{OUT_OF_TIME}."
    assert (tmp_path / "m" / "matrix.html").is_file()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "recorded",
    ["run shared-new-tag --until hit", "steer shared-new-tag"],
    ids=["a raced round", "a schedule"],
)
def test_a_replay_ends_on_a_server_that_hangs(
    recorded: str, faulty: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*shlex.split(recorded), "-t", "embedded@1.17.0", "--out", "r"]
    assert command()(words, standalone_mode=False) == 1
    capsys.readouterr()
    words = ["replay", "r", "-t", faulty("answers_no_mail"), "--time-limit", str(LIMIT_S)]
    assert command()(words, standalone_mode=False) == 3
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("COULD NOT RUN")
    assert ENDED in said


class CutAtHit:
    """A listener that has the time over as soon as a hit was judged, or a witness written."""

    def __init__(self, history: Path) -> None:
        self._history = history

    def began(self, *_: object) -> None:
        pass

    def ended(self, _: ScenarioResult) -> None:
        pass

    def progressed(self, done: int, rounds: int, hits: int, control_hits: int) -> None:
        if hits:
            raise TimeOver

    def said(self, _: str) -> None:
        if b'"kind":"witness"' in self._history.read_bytes():
            raise TimeOver


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "name"), [("race", "shared-new-tag"), ("steer", "send-delete-last-holder")])
def test_a_race_that_was_seen_stays_one_when_the_time_is_over(mode: str, name: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    target = "embedded@1.17.0" if mode == "race" else "embedded@1.30.5"
    racing = Racing(rounds=2000, control=False)
    request = RunRequest.of(target, racing, Output(out=out, formats=()), mode=mode, time_limit_s=600.0)
    scenario = load(Path(shipped()) / f"{name}.race.yaml")
    found, *_ = run([scenario], request, CutAtHit(out / "history.jsonl")).result.scenarios
    assert found.verdict is Verdict.RACE
    assert found.reason.startswith(CUT_OFF)
    assert found.witnesses[0].replay.startswith("mailrace replay ")
    assert json.loads((out / "run.json").read_text())["verdict"] == "RACE"


def test_a_bisection_out_of_time_says_that_nothing_was_shown() -> None:
    unknown = Probed(answer=Answer.UNKNOWN, reason=f"{OUT_OF_TIME}.")
    first, *_ = told(Search(versions=("1", "2"), good="1", bad="2", answers={"1": unknown, "2": unknown}))
    assert first.endswith("for 2 and 1 this was only said, and not shown.")


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "wait",
    [lambda _: threading.Event().wait(), lambda silent: silent.recv(1), lambda _: signal.pause()],
    ids=["an event", "an answer", "a signal"],
)
def test_a_block_is_over_by_its_instant(
    wait: Callable[[socket.socket], object], silent: socket.socket
) -> None:
    before = signal.getsignal(signal.SIGALRM)
    try:
        with over_by(time.monotonic()):
            wait(silent)
    except TimeOver:
        assert signal.getsignal(signal.SIGALRM) is before
    else:
        pytest.fail("the block came to its end")


def test_a_block_that_ends_in_time_is_left_alone_and_so_is_another_thread() -> None:
    ended: list[str] = []

    def elsewhere() -> None:
        with over_by(time.monotonic() - 60.0):
            ended.append("there")

    with over_by(time.monotonic() + 60.0):
        ended.append("here")
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    with over_by(None):
        ended.append("without a limit")
    assert ended == ["here", "there", "without a limit"]


@dataclass(slots=True)
class Endless(Surveyor):
    """Comes to no end with a pair, as where a server answers nothing for minutes."""

    def _decided(self, pair: Pair) -> Found:
        threading.Event().wait()
        raise AssertionError(pair)


@pytest.mark.timeout(60)
def test_a_survey_cuts_off_the_pair_under_way(tmp_path: Path) -> None:
    asked = Asked(target=parse_target("embedded@1.30.5"), only=("send", "rename tag"), time_limit_s=0.2)
    found = survey(asked, tmp_path, decider=Endless)
    assert not found.is_whole
    assert {(pair.verdict, pair.why) for pair in found.pairs} == {(PairVerdict.INCONCLUSIVE, NOT_LOOKED)}
    assert (tmp_path / "survey.json").is_file()
