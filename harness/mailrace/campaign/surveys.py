"""Takes the pairs of a survey and a campaign; has workers decide each pair and show each cause.

The result does not depend on how many workers there are. Where several pairs show a cause at once, the first
in the order of pairs counts, as it does where one process decides one pair after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from mailrace.campaign.cell import Cell, Outcome, survey_cell
from mailrace.campaign.dispatch import Campaign, who_did_what
from mailrace.model.request import RunRequest
from mailrace.studies.survey.relations import Pair
from mailrace.studies.survey.run import Surveyor, ways
from mailrace.studies.survey.state import Found, Header, Shown, line_of

TOGETHER_MAX = 8
"""The most pairs in a cell, whose servers are started once for all of them."""
CELLS_MIN = 8
"""The least number of cells: a small survey has fewer pairs in each, so that all workers have some."""


@dataclass(slots=True)
class WorkersSurveyor(Surveyor):
    """A `Surveyor` whose pairs are decided by the workers of a campaign. `again`: the command to go on."""

    campaign: Campaign = field(kw_only=True)
    request: RunRequest = field(kw_only=True)
    again: str = field(kw_only=True)
    _places: dict[str, int] = field(default_factory=dict)
    """Where each pair stands in the order of pairs."""

    def decide(self, pairs: Sequence[Pair]) -> bool:
        """Decide every pair, some to a cell: how many depends on the number of pairs alone."""
        self.stop()  # the server that was asked what it offers; the workers start servers of their own
        self._places = {pair.name: number for number, pair in enumerate(pairs)}
        self.campaign.goes_on(self.again)
        together = max(1, min(TOGETHER_MAX, len(pairs) // CELLS_MIN))
        cells = []
        for first in range(0, len(pairs), together):
            left = [p.name for p in pairs[first : first + together] if p.name not in self.state.found]
            if left:
                name = left[0] if len(left) == 1 else f"{left[0]} and {len(left) - 1} more"
                cells.append(self._cell("decide", name, left))
        by_name = {pair.name: pair for pair in pairs}
        is_whole = True
        for cell, outcome in self._outcomes(cells):
            found = self._taken(cell, outcome)
            # For a pair that no worker could decide the reason is told, and it is left for another call.
            for name in cell.pairs:
                if name not in found and outcome.is_whole:
                    why = f"{outcome.why or 'Its worker did not come to it'}. {outcome.step}".strip()
                    line = by_name[name].undecided(f"{why.rstrip('.')}.")
                    self.state.found[name] = Found(pair=replace(line, machine=outcome.machine))
            is_whole &= outcome.is_whole
        return is_whole

    def show_each(self, pairs: Sequence[Pair]) -> bool:
        """Show every cause that no pair has shown at once, each by one worker."""
        cells = [self._cell("show", name, its, cause=name) for name, its in ways(self.state).items()]
        is_whole = True
        for cell, outcome in self._outcomes(cells):
            self._taken(cell, outcome)
            is_whole &= outcome.is_whole
        return is_whole

    def _cell(self, kind: str, name: str, pairs: Sequence[str], cause: str = "") -> Cell:
        request = replace(self.request, target=self.target, seed=0)
        return survey_cell("show" if kind == "show" else "decide", name, request, tuple(pairs), cause)

    def _outcomes(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, Outcome]]:
        ends = None if self.deadline == inf else self.deadline
        try:
            yield from self.campaign.outcomes(cells, ends, self._earlier)
        finally:
            self.environment = {"workers": who_did_what(self.campaign.by)}

    def _earlier(self, cell: Cell) -> tuple[str, ...]:
        """Causes that were shown by pairs which come before all pairs of the cell."""
        first = min(self._places[name] for name in cell.pairs)
        shown = self.state.shown.items()
        return tuple(name for name, one in shown if self._places.get(one.pair, first) < first)

    def _taken(self, cell: Cell, outcome: Outcome) -> set[str]:
        """Take what the cell found into the state; the names of its pairs that were decided."""
        lines = [line_of(line) for line in outcome.files.get("survey.jsonl", "").splitlines()]
        header = next((one for one in lines if isinstance(one, Header)), None)
        if header is None or header.version != self.state.version:
            return set()
        decided = set()
        for one in lines:
            if isinstance(one, Found) and one.pair.name in cell.pairs:
                decided.add(one.pair.name)
                self.state.add(replace(one, pair=replace(one.pair, machine=outcome.machine)))
            elif isinstance(one, Shown) and one.pair in cell.pairs:
                self._take(one)
        return decided

    def _take(self, one: Shown) -> None:
        """A pair was to show a cause: the first pair in the order of pairs counts, not the first to come."""
        before = self.state.shown.get(one.cause.name)
        last = len(self._places)
        if before is None or self._places[one.pair] < self._places.get(before.pair, last):
            self.state.show(one)
