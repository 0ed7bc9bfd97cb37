"""A survey of a real Mailpit in, whether a bundle's bare repro.py shows its causes out, ten times of ten.

`python -m tests.studies.bundled_causes docs/surveys/1.33.1.json --first 3` takes the first causes of harm
data or promise that one server shows and no shipped scenario does. Each is steered on the survey's own
target and bundled, and the bundle's repro.py is run alone: a line a cause says how often it was shown.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mailrace.model.consequences import Harm
from mailrace.model.survey import Survey, SurveyedCause
from mailrace.report import bundle
from mailrace.report.survey import survey_from_json
from mailrace.report.unbundle import read_bundle
from mailrace.run import Output, Racing, RunRequest, run
from mailrace.scenario import scenario_from, shipped
from mailrace.studies.survey.relations import pairs
from mailrace.targets.mailpit.lookup import find

from tests.studies.shipped_found import shipped_causes

TIMES = 10


def of_no_scenario(survey: Survey) -> Iterator[SurveyedCause]:
    """The causes of harm data or promise that one server shows and no shipped scenario does."""
    every = sorted(file.name.removesuffix(".race.yaml") for file in shipped().glob("*.race.yaml"))
    shown = {cause for _, cause in shipped_causes(survey.target.name, every)}
    for cause in survey.causes:
        if cause.fate == "realised" and cause.harm in (Harm.DATA, Harm.PROMISE) and cause.name not in shown:
            yield cause


def times_shown(survey: Survey, cause: SurveyedCause, folder: Path) -> int:
    """How many of ten calls of the bundle's repro.py, alone on the survey's server, show the cause."""
    pair = next(one for one in pairs() if one.name == cause.shown_by)
    output = Output(reports=folder / "reports")
    racing = Racing(control=False)
    request = RunRequest.of(survey.target.name, racing, output, seed=1, mode="steer", command="mailrace …")
    done = run([scenario_from(pair.scenario, folder)], request)
    script = folder / "repro.py"
    script.write_bytes(read_bundle(bundle(done.folder, folder / "bundle.zip")).files["repro.py"])
    program, why = find(survey.target.version)
    if program is None:
        raise SystemExit(why)
    called = [sys.executable, "-I", str(script), "--mailpit", str(program.path)]
    return sum(
        subprocess.run(called, cwd=folder, stdout=subprocess.DEVNULL, timeout=120, check=False).returncode
        == 1
        for _ in range(TIMES)
    )


def main() -> None:
    """Print a line a cause; status 1 where one was not shown each time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("survey", type=Path)
    parser.add_argument("--first", type=int, default=3)
    given = parser.parse_args()
    survey = survey_from_json(given.survey.read_text(encoding="utf-8"))
    missed = 0
    for _, cause in zip(range(given.first), of_no_scenario(survey), strict=False):
        with tempfile.TemporaryDirectory(prefix="mailrace-causes-") as folder:
            times = times_shown(survey, cause, Path(folder))
        missed += times < TIMES
        print(f"{times} of {TIMES} {cause.harm.value}: {cause.name}", flush=True)
    raise SystemExit(min(missed, 1))


if __name__ == "__main__":
    main()
