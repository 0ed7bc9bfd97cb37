"""Settings from options, the environment and pyproject.toml, and mistakes in them."""

from pathlib import Path

import pytest
from mailrace.report import from_json

from tests.cli.in_process import Here, scenario


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("taget = 'embedded'", "tool.mailrace.taget: no such setting"),
        ("rounds = 'ten'", "tool.mailrace.rounds: 'ten'; wanted 1 to 50000"),
        ("target = 7", "tool.mailrace.target: 7; wanted a target's name"),
        ("rounds = true", "tool.mailrace.rounds: True"),
        ("rounds = 0", "tool.mailrace.rounds: 0"),
        ("profile = 'fast'", "tool.mailrace.profile: 'fast'; wanted rate or throughput"),
        ("confidence = 2.0", "tool.mailrace.confidence: 2.0"),
        ("= 3", "cannot be read"),
        ("[tool]\nmailrace = 3", "tool.mailrace: 3; wanted a table"),
        ("[tool]\nmailrace = []", "tool.mailrace: []; wanted a table"),
    ],
)
def test_a_mistake_in_pyproject_is_one_sentence_with_file_and_key(
    table: str, said: str, here: Here, tmp_path: Path
) -> None:
    head = "" if table.startswith("[") else "[tool.mailrace]\n"
    (tmp_path / "pyproject.toml").write_text(f"{head}{table}\n")
    status, _, err = here("run", scenario("distinct-tags"))
    assert status == 2, err
    assert err.startswith(f"mailrace: {tmp_path}/pyproject.toml: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_settings_come_from_options_then_the_environment_then_pyproject(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "[tool.mailrace]\ntarget = 'embedded@1.27.11'\nrounds = 2\nreports = 'elsewhere'\n"
    (tmp_path / "pyproject.toml").write_text(table)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    words = ["run", scenario("distinct-tags"), "--no-control", "--json"]
    found = from_json(here(*words)[1])
    assert found.target.name == "embedded@1.27.11"
    assert found.scenarios[0].rounds + found.scenarios[0].rounds_lost == 2
    assert (tmp_path / "below" / "elsewhere" / "latest").is_dir()
    monkeypatch.setenv("MAILRACE_TARGET", "embedded@1.17.1")
    assert from_json(here(*words)[1]).target.name == "embedded@1.17.1"
    words += ["-t", "embedded@1.30.5", "--rounds", 1]
    found = from_json(here(*words)[1])
    assert found.target.name == "embedded@1.30.5"
    assert found.scenarios[0].rounds + found.scenarios[0].rounds_lost == 1
