"""What was found out goes on only where it still holds: of the very program, by this very mailrace."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.errors import UsageError
from mailrace.studies.survey.state import Header, State
from mailrace.targets import parse_target
from mailrace.targets.mailpit import programs

HEADER = Header.of(parse_target("embedded@1.33.1"), "1.33.1", ["a beside b"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mailrace": "0.0.1"}, "by mailrace 0.0.1, not of this survey"),
        ({"mailrace": ""}, "by mailrace of another version"),
        ({"program": "0" * 64}, "it is of another program at embedded@1.33.1"),
        ({"pairs": ("a", "b")}, "and 2 pairs"),
    ],
)
def test_a_survey_goes_on_from_no_other_one(changed: dict[str, Any], said: str, tmp_path: Path) -> None:
    State(tmp_path, replace(HEADER, **changed))
    with pytest.raises(UsageError, match=said):
        State(tmp_path, HEADER)


def test_a_program_that_was_built_anew_is_another_one(faulty: Callable[..., str]) -> None:
    name = faulty("swapped_bodies")
    program, targets = Path(name.removeprefix("mailpit:")), [parse_target(name), parse_target("embedded")]
    before = programs(targets)
    program.write_text(program.read_text() + "# built anew\n")
    assert list(before) == list(programs(targets)) == [name]
    assert before != programs(targets)
    program.unlink()
    assert programs(targets) == {name: ""}
