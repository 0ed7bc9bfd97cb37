"""A survey in, each root cause of the shipped scenarios and whether the survey knows it out.

`python -m tests.studies.shipped_found survey.json` steers all shipped scenarios on the survey's own target.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mailrace.model.survey import Survey
from mailrace.report.survey import survey_from_json
from mailrace.scenario import load, shipped
from mailrace.steer import steer


def shipped_causes(target: str, scenarios: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(scenario, name of a cause that one server shows), of what can be steered there."""
    for name in scenarios:
        schedules = steer(load(shipped() / f"{name}.race.yaml"), target).schedules
        for cause in schedules.causes if schedules is not None else ():
            if cause.fate != "two servers":
                yield name, cause.name


def not_found(survey: Survey, scenarios: Iterable[str]) -> list[tuple[str, str]]:
    """Those of the causes that the survey does not know."""
    known = {cause.name for cause in survey.causes}
    return [one for one in shipped_causes(survey.target.name, scenarios) if one[1] not in known]


def main() -> None:
    """Print a line a cause; status 1 where the survey lacks one."""
    found = survey_from_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    known = {cause.name for cause in found.causes}
    every = sorted(file.name.removesuffix(".race.yaml") for file in shipped().glob("*.race.yaml"))
    lacking = 0
    for scenario, cause in shipped_causes(found.target.name, every):
        lacking += cause not in known
        print(f"{'found  ' if cause in known else 'LACKING'} {scenario}: {cause}", flush=True)
    raise SystemExit(min(lacking, 1))


if __name__ == "__main__":
    main()
