"""Two instances of a server that numbers mail as it is told: many questions of one start."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailrace.model.operation import ServerOptions
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.scenario import Plan, Scenario, scenario_from
from mailrace.steer.explore.observer import NOBODY
from mailrace.steer.explore.state_space import explore
from mailrace.steer.result.scenario_result import scenario_result
from mailrace.steer.servers.marks import plain, with_own_spellings
from mailrace.steer.servers.rig import Rig
from mailrace.steer.servers.round import round_on
from mailrace.steer.steering import SteerRequest, opener_of, show

from tests.faulty.faulty_program import faulty_program

VERSION = "1.33.1"
TOLD = "MAILRACE_NUMBERED"
TWO_SENDERS = {"name": "two", "title": "two senders", "actors": [{"send": {"count": 2}}]}


@dataclass(frozen=True)
class Altered:
    """Servers that run."""

    rig: Rig
    told: Path
    scenario: Scenario

    def steered(self, kind: str) -> ScenarioResult:
        """What steer says of the server that numbers its mail like that."""
        self.told.write_text(kind, encoding="utf-8")
        planned = plain(with_own_spellings(Plan(self.scenario, 1, "mraltered0").round(0)))
        request = SteerRequest()
        with round_on(self.rig, planned) as round_:
            space = explore(round_, request.extent)
            return scenario_result(self.scenario, show(round_, space, request.effort, NOBODY))

    def decided(self, kind: str) -> ScenarioResult:
        """The same, once more where nothing was decided: on a busy machine a statement may come late."""
        first = self.steered(kind)
        return first if first.verdict is not Verdict.INCONCLUSIVE else self.steered(kind)


@contextmanager
def altered(folder: Path, fault: str = "numbered_as_told") -> Iterator[Altered]:
    """Two instances of the reference with that fault."""
    told = folder / "numbered"
    scenario, options = scenario_from(TWO_SENDERS, folder), ServerOptions()
    program = faulty_program(folder, fault, VERSION, settings={TOLD: str(told)})
    rig = Rig(opener_of(program, options, folder, None), options=options)
    try:
        rig.start(2)
        yield Altered(rig, told, scenario)
    finally:
        rig.stop()
