"""Each cause of a version of the embedded reference in, whether the repair that is named for it holds out.

`python -m tests.steer.repairs_table 1.30.5 --only send --only "rename tag"` surveys that version and prints a
line a cause: the cause's own scenario is steered on the same reference whose pool keeps the named runs of
statements together. It has no other SQL, so what mends it is the order alone.
"""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailrace.model.cause import Cause, KeptTogether, Repair
from mailrace.model.result import ScenarioResult
from mailrace.model.survey import SurveyedCause
from mailrace.scenario import load
from mailrace.steer import SteerRequest, steer
from mailrace.studies.survey.whole import Asked, survey
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
        word = "holds" if self.is_clean else "DOES NOT"
        return f"{word:8} {self.cause.harm.value:8} {self.cause.name} [{kept}] {came}"


def keeping(program: str, kept: Iterable[KeptTogether]) -> str:
    """The faulty program with the runs in its environment, of which a server of ours inherits nothing."""
    runs = [{"operation": k.operation, "first": k.first, "last": k.last, "nth": list(k.nth)} for k in kept]
    file = Path(program.removeprefix("mailpit:"))
    text = file.read_text(encoding="utf-8")
    setting = f"os.environ[{RUNS!r}] = {json.dumps(runs)!r}"
    file.write_text(text.replace("    os.execv(", f"    {setting}\n    os.execv("), encoding="utf-8")
    return program


def repairs_held(version: str, folder: Path, only: tuple[str, ...] = ()) -> Iterator[Held]:
    """Every cause that a survey of the version shows on one server, with its repair tried out."""
    found = survey(Asked(target=parse_target(f"embedded@{version}"), only=only), folder)
    # All causes that one pair shows have its repairs, so each is tried once.
    tried: dict[tuple[str, Repair], ScenarioResult] = {}
    for cause in found.causes:
        if cause.fate != "realised":
            continue
        if not cause.repair:
            yield Held(cause, None)
            continue
        key = cause.shown_by, cause.repair[0]
        if key not in tried:
            tried[key] = _mended(cause, version, folder)
        yield Held(cause, tried[key])


def _mended(cause: SurveyedCause, version: str, folder: Path) -> ScenarioResult:
    program = keeping(faulty_program(folder, "kept_together", version, "store"), cause.repair[0].kept)
    return steer(load(folder / cause.scenario), program, SteerRequest(explore_s_max=EXPLORE_S_MAX))


def causes_of(result: ScenarioResult) -> tuple[Cause, ...]:
    """The causes of a steered scenario."""
    assert result.schedules is not None
    return result.schedules.causes


def main() -> None:
    """Print the table of each version that is asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("versions", nargs="+")
    options.add_argument("--only", action="append", default=[], help="an operation of the survey's table")
    options.add_argument("--state", type=Path, help="keep the surveys here, and go on with them")
    asked = options.parse_args()
    for version in asked.versions:
        with tempfile.TemporaryDirectory(prefix="repairs-") as own:
            folder = (asked.state or Path(own)) / version
            held = []
            for one in repairs_held(version, folder, tuple(asked.only)):
                held.append(one)
                print(one.line, flush=True)
        print(f"{version}: {sum(one.is_clean for one in held)} of {len(held)} causes are mended", flush=True)


if __name__ == "__main__":
    main()
