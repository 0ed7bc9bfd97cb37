"""A survey by workers: whatever order outcomes come in, the same is found as by one process."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest
from cells import Told, campaign, need_dask
from mailrace.campaign.cell import Cell, Outcome
from mailrace.campaign.surveys import WorkersSurveyor
from mailrace.campaign.workers import Workers
from mailrace.model.cause import Cause
from mailrace.model.consequences import Harm
from mailrace.model.request import RunRequest
from mailrace.model.survey import PairVerdict, SurveyedPair
from mailrace.report.survey import survey_from_json
from mailrace.studies.survey.document import NOT_LOOKED
from mailrace.studies.survey.relations import chosen, pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Found, Header, Shown, State
from mailrace.studies.survey.whole import Asked, survey
from mailrace.targets import parse_target

TARGET = parse_target("embedded@1.30.5")
EVERY = list(pairs())[:5]
HEADER = Header(target=TARGET.text, version="1.30.5", pairs=tuple(one.name for one in EVERY))


def cause(name: str, fate: str = "unrealised") -> Cause:
    return Cause(name=name, harm=Harm.DATA, anomalies=("tag_lost",), operations=("send", "send"), fate=fate)


def found(place: int, *causes: tuple[str, int]) -> Found:
    """What a worker says of that pair: its causes, each with the preemptions that it takes."""
    line: SurveyedPair = EVERY[place].undecided(NOT_LOOKED)
    return Found(
        pair=line, causes=tuple(cause(name) for name, _ in causes), preemptions=tuple(n for _, n in causes)
    )


class Fake:
    """A campaign whose workers answer from a table, in the order that it is given."""

    def __init__(self, order: Sequence[int], folder: Path) -> None:
        self.order, self.folder = order, folder
        self.by: dict[str, int] = {}
        self.shown: list[tuple[str, tuple[str, ...]]] = []

    def goes_on(self, command: str) -> None:
        pass

    def outcomes(
        self, cells: Sequence[Cell], ends: float | None, known: Callable[[Cell], tuple[str, ...]]
    ) -> Iterator[tuple[Cell, Outcome]]:
        every = [cells[place] for place in self.order if place < len(cells)]
        for number, cell in enumerate(every):
            state = State(self.folder / f"{cell.kind}{number}", HEADER)
            answer(state, cell, known(cell))
            text = next((self.folder / f"{cell.kind}{number}").iterdir()).read_text()
            self.shown += [(cell.cause, cell.pairs)] if cell.kind == "show" else []
            yield cell, Outcome(key=cell.key, host="h", worker=str(number), files={"survey.jsonl": text})


def answer(state: State, cell: Cell, known: tuple[str, ...]) -> None:
    """X is shown at once by the pairs 1, 2 and 4; Y by none, and most easily by the pair 3."""
    if cell.kind == "show":
        state.show(Shown(cause=cause(cell.cause, "realised"), pair=cell.pairs[0]))
        return
    table = {1: [("X", 0), ("Y", 2)], 2: [("X", 0)], 3: [("Y", 1)], 4: [("X", 0)]}
    for name in cell.pairs:
        place = [one.name for one in EVERY].index(name)
        if "X" in dict(table.get(place, [])) and "X" not in {*known, *state.shown}:
            state.show(Shown(cause=cause("X", "realised"), pair=name))
        state.add(found(place, *table.get(place, [])))


def surveyor(fake: Any, folder: Path, state: State) -> WorkersSurveyor:
    request = RunRequest.of(TARGET, mode="steer")
    again = "mailrace survey --state x"
    return WorkersSurveyor(TARGET, state, folder, campaign=fake, request=request, again=again)


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is asked for its operations: it is not what these tests are about."""
    monkeypatch.setattr(Surveyor, "ask", lambda *_: None)


def test_the_first_pair_in_order_shows_a_cause_whoever_came_first_with_it(tmp_path: Path) -> None:
    came_to = []
    for number, order in enumerate(islice(permutations(range(5)), 0, None, 7)):
        folder = tmp_path / str(number)
        state = State(folder, HEADER)
        fake = Fake(order, folder)
        assert surveyor(fake, folder, state).survey(EVERY)
        again = State(folder, HEADER)
        assert (again.found, again.shown) == (state.found, state.shown), "it goes on from the same"
        came_to.append(
            (
                {name: one.pair for name, one in state.shown.items()},
                sorted(state.found),
                fake.shown,
            )
        )
    assert all(one == came_to[0] for one in came_to)
    shown, decided, by_workers = came_to[0]
    assert shown == {"X": EVERY[1].name, "Y": EVERY[3].name}
    assert decided == sorted(one.name for one in EVERY)
    assert by_workers == [("Y", (EVERY[3].name, EVERY[1].name))]


def test_what_no_worker_could_decide_is_inconclusive_and_left_for_another_call(tmp_path: Path) -> None:
    class Lacking(Fake):
        def outcomes(self, cells: Sequence[Cell], *_: object) -> Iterator[tuple[Cell, Outcome]]:  # type: ignore[override]
            for cell in cells:
                yield (
                    cell,
                    Outcome(key=cell.key, host="h", worker="0", why="h has no mailpit", step="put it there"),
                )

    state = State(tmp_path / "s", HEADER)
    surveyor(Lacking([], tmp_path), tmp_path / "s", state).survey(EVERY)
    said = {(one.pair.verdict, one.pair.why, one.pair.machine) for one in state.found.values()}
    assert said == {(PairVerdict.INCONCLUSIVE, "h has no mailpit. put it there.", "h, worker 0")}
    assert State(tmp_path / "s", HEADER).found == {}


def test_another_version_s_lines_are_not_taken(tmp_path: Path) -> None:
    class Other(Fake):
        def outcomes(self, cells: Sequence[Cell], *rest: Any) -> Iterator[tuple[Cell, Outcome]]:
            for cell, outcome in super().outcomes(cells, *rest):
                text = outcome.files["survey.jsonl"].replace('"version": "1.30.5"', '"version": "1.30.4"')
                yield cell, Outcome(key=cell.key, files={"survey.jsonl": text})

    state = State(tmp_path / "s", HEADER)
    surveyor(Other(range(5), tmp_path), tmp_path / "s", state).survey(EVERY)
    assert {one.pair.verdict for one in state.found.values()} == {PairVerdict.INCONCLUSIVE}


@pytest.mark.slow
def test_real_workers_survey_a_pair(tmp_path: Path) -> None:
    need_dask()
    only = ("rename tag",)
    assert len(chosen(pairs(), only)) > 1
    told, request = Told(), RunRequest.of(TARGET, mode="steer")
    with campaign(Workers(count=2), told) as workers:

        def decider(*rest: Any) -> WorkersSurveyor:
            return WorkersSurveyor(*rest, campaign=workers, request=request, again="mailrace survey")

        found = survey(Asked(target=TARGET, only=only), tmp_path / "s", decider=decider)
    assert found.is_whole
    assert all(one.machine for one in found.pairs)
    assert found.environment["workers"]
    assert survey_from_json((tmp_path / "s" / "survey.json").read_text()) == found
    assert PairVerdict.INCONCLUSIVE not in {one.verdict for one in found.pairs}
