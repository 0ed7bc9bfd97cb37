"""Each cause of a version of the embedded reference in, whether the repair that is named for it holds out.

`python -m tests.steer.repairs_table 1.30.5 --of docs/surveys/1.30.5.json` decides the pairs that showed a
cause there, and prints a line a cause: the cause's own scenario is steered on the same reference whose pool
keeps the named runs of statements together. It has no other SQL, so what mends it is the order alone. Without
`--of` every pair of the version is decided first.
"""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailrace.model.cause import Cause, KeptTogether, Repair
from mailrace.model.result import ScenarioResult, Verdict
from mailrace.model.survey import SurveyedCause
from mailrace.model.target import TargetInfo
from mailrace.report.survey import survey_from_json
from mailrace.scenario import Scenario, scenario_from
from mailrace.steer import SteerRequest, steer
from mailrace.studies.survey.document import survey_of
from mailrace.studies.survey.relations import Pair, chosen, pairs
from mailrace.studies.survey.run import Surveyor
from mailrace.studies.survey.state import Header, State
from mailrace.targets import parse_target

from tests.faulty.faulty_program import faulty_program

RUNS = "MAILRACE_KEPT_TOGETHER"
EXPLORE_S_MAX = 300.0
"""Of one scenario: beside other work a walk may take several times as long as on a machine of its own."""


@dataclass(frozen=True, slots=True)
class Held:
    """A cause, and what steer comes to with its smallest repair; `mended` None: none was named."""

    cause: SurveyedCause
    mended: ScenarioResult | None

    @property
    def is_clean(self) -> bool:
        """Every schedule was walked with the runs kept together, and none is bad."""
        schedules = self.mended.schedules if self.mended is not None else None
        return schedules is not None and schedules.exhaustive and not schedules.causes

    @property
    def line(self) -> str:
        """The row of the table."""
        kept = " and ".join(f"{k.operation}: {k.steps}" for r in self.cause.repair[:1] for k in r.kept)
        came = "none named" if self.mended is None else f"{self.mended.verdict}: {self.mended.reason[:60]}"
        word = "holds" if self.is_clean else "none" if self.mended is None else "DOES NOT"
        return f"{word:8} {self.cause.harm.value:8} {self.cause.name} [{kept}] {came}"


def keeping(program: str, kept: Iterable[KeptTogether]) -> str:
    """The faulty program with the runs in its environment, of which a server of ours inherits nothing."""
    runs = [{"operation": k.operation, "first": k.first, "last": k.last, "nth": list(k.nth)} for k in kept]
    file = Path(program.removeprefix("mailpit:"))
    text = file.read_text(encoding="utf-8")
    setting = f"os.environ[{RUNS!r}] = {json.dumps(runs)!r}"
    file.write_text(text.replace("    os.execv(", f"    {setting}\n    os.execv("), encoding="utf-8")
    return program


def repairs_held(version: str, folder: Path, wanted: Sequence[Pair]) -> Iterator[Held]:
    """Every cause that one server of the version shows by those pairs, with its repair tried out."""
    target = parse_target(f"embedded@{version}")
    header = Header.of(target, version, [one.name for one in wanted])
    state = State(folder, header)
    Surveyor(target, state, folder).survey(wanted)
    found = survey_of(state, wanted, TargetInfo.unknown(target.text), is_whole=True)
    # All causes that one pair shows have its repairs, so each is tried once.
    scenarios = {one.name: scenario_from(one.scenario, folder) for one in wanted}
    tried: dict[tuple[str, Repair], ScenarioResult] = {}
    for cause in found.causes:
        if cause.fate != "realised":
            continue
        for repair in cause.repair[:1]:
            if (cause.shown_by, repair) not in tried:
                program = keeping(faulty_program(folder, "kept_together", version, "store"), repair.kept)
                tried[cause.shown_by, repair] = _mended(scenarios[cause.shown_by], program)
            yield Held(cause, tried[cause.shown_by, repair])
        if not cause.repair:
            yield Held(cause, None)


def _mended(scenario: Scenario, program: str) -> ScenarioResult:
    """Steered, and once more where a busy machine kept it from being decided."""
    request = SteerRequest(explore_s_max=EXPLORE_S_MAX)
    found = steer(scenario, program, request)
    return steer(scenario, program, request) if found.verdict is Verdict.INCONCLUSIVE else found


def causes_of(result: ScenarioResult) -> tuple[Cause, ...]:
    """The causes of a steered scenario."""
    assert result.schedules is not None
    return result.schedules.causes


def main() -> None:
    """Print the table of a version."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("version")
    options.add_argument("--only", action="append", default=[], help="an operation of the survey's table")
    options.add_argument("--of", type=Path, help="a survey.json: only pairs that show its causes")
    options.add_argument("--state", type=Path, help="keep what was found here, and go on with it")
    asked = options.parse_args()
    wanted = chosen(pairs(), asked.only)
    if asked.of:
        causes = survey_from_json(asked.of.read_text(encoding="utf-8")).causes
        wanted = [one for one in wanted if one.name in {cause.shown_by for cause in causes}]
    with tempfile.TemporaryDirectory(prefix="repairs-") as own:
        held = []
        for one in repairs_held(asked.version, asked.state or Path(own), wanted):
            held.append(one)
            print(one.line, flush=True)
    clean, named = (sum(map(bool, each)) for each in ([o.is_clean for o in held], [o.mended for o in held]))
    print(
        f"{asked.version}: {clean} of {named} causes with a repair are mended; {len(held) - named} have none"
    )


if __name__ == "__main__":
    main()
