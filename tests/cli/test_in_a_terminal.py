"""What a person sees in a terminal of 80 columns: whole words and commands, results apart from progress."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from mailrace.cli import command
from mailrace.cli.progress import Teller
from mailrace.model.target import TargetInfo
from mailrace.scenario import load, shipped
from typer.models import OptionInfo
from typer.testing import CliRunner

from tests.cli.terminal import in_terminal
from tests.running import mailrace

pytestmark = pytest.mark.slow

ZERO_IS_MEANT = ("--bound", "--confirm", "--minutes", "--round", "--seed")
"""No switch, no confirmation, no steering, the first round, a seed like any other."""
COMMAND = re.compile(r"^(  )?(again: |report: )?(mailrace |reports/|[\w./-]+/report\.html)")
WORDS = ("send-delete-last-holder", "rejected_but_stored", "envelope_leaked", "no-rset-after-failure")


def too_long(lines: list[str]) -> list[str]:
    """Lines over 80 columns that hold more than one word and are no command to copy."""
    return [line for line in lines if len(line) > 80 and not COMMAND.match(line) and len(line.split()) > 1]


def no_word_is_broken(lines: list[str]) -> None:
    """Each of the long words stands whole wherever it begins."""
    for word in WORDS:
        beginning = word[:-3]
        for line in lines:
            assert line.count(beginning) == line.count(word) or line.endswith("…"), line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["run", "no-rset-after-failure", "distinct-tags", "-t", "embedded@1.30.5", "--rounds", 3], 1),
        (["steer", "send-delete-last-holder", "-t", "embedded@1.30.5"], 1),
        (["targets"], 0),
        (["doctor"], 0),
    ],
)
def test_80_columns_are_enough(words: list[object], status: int, tmp_path: Path) -> None:
    ended, out, err = in_terminal(*words, cwd=tmp_path)
    assert ended == status
    assert too_long(out) == []
    no_word_is_broken(out)
    assert not any("None" in line for line in (*out, *err))
    assert not any("Traceback" in line for line in err)


@pytest.mark.slow
def test_commands_and_paths_are_lines_of_their_own_and_can_be_run_as_they_stand(tmp_path: Path) -> None:
    _, out, _ = in_terminal("steer", "send-delete-last-holder", "-t", "embedded@1.30.5", cwd=tmp_path)
    (bundle,) = [line.strip() for line in out if line.startswith("  mailrace bundle ")]
    done = mailrace(*bundle.split()[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (report,) = [line.removeprefix("report: ") for line in out if line.startswith("report: ")]
    assert (tmp_path / report).is_file()


def test_a_scenario_that_is_looked_at_again_on_its_target_is_counted_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scenario = load(shipped() / "distinct-tags.race.yaml")
    with Teller(scenarios=2) as teller:
        for target in ("old", "new", "new"):
            teller.began(scenario, TargetInfo.unknown(target), None)
    assert [line[:6] for line in capsys.readouterr().err.splitlines()] == ["1 of 2", "2 of 2", "2 of 2"]


@pytest.mark.slow
def test_results_are_on_stdout_and_progress_is_on_stderr(tmp_path: Path) -> None:
    words = ["run", "no-rset-after-failure", "distinct-tags", "-t", "embedded@1.30.5", "--rounds", 3]
    _, out, err = in_terminal(*words, "--no-control", cwd=tmp_path)
    progress = "\n".join(err)
    assert "1 of 2: no-rset-after-failure: embedded@1.30.5 (version 1.30.5)" in progress
    assert "2 of 2: distinct-tags: embedded@1.30.5 (version 1.30.5)" in progress
    assert "What to do" not in progress
    assert "What to do" in "\n".join(out)
    assert "seed" not in "\n".join(out)


@pytest.mark.parametrize(
    "name", ["", "run", "steer", "gate", "bisect", "matrix", "retries", "replay", "watch"]
)
def test_help_fits_and_is_not_cut_off_and_names_no_types(name: str, tmp_path: Path) -> None:
    done = mailrace(*([name] if name else []), "--help", cwd=tmp_path)
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    assert not re.search(r"<(list|str|int|float|path|bool)|\w\.\.\.$", done.stdout, re.MULTILINE)
    sections = re.findall(r"^(\S[^\n]*):$", done.stdout, re.MULTILINE)
    assert len(sections) > 2 or name == "watch", "options stand in groups"


def test_tab_offers_targets_and_scenarios(tmp_path: Path) -> None:
    (tmp_path / "own.race.yaml").write_text("name: own\n", encoding="utf-8")

    def offered(line: str) -> list[str]:
        done = mailrace(
            cwd=tmp_path,
            _MAILRACE_COMPLETE="complete_bash",
            COMP_WORDS=line,
            COMP_CWORD=str(len(line.split()) - (not line.endswith(" "))),
        )
        return done.stdout.split()

    assert "embedded@1.17.0" in offered("mailrace run --target embedded@1.1")
    assert offered("mailrace run shared-new-tag") == ["shared-new-tag", "shared-new-tag-8"]
    assert offered("mailrace check own") == ["own.race.yaml"]
    names = {file.name.removesuffix(".race.yaml") for file in shipped().glob("*.race.yaml")}
    assert names | {"shipped"} <= set(offered("mailrace steer "))


def numbers() -> list[tuple[str, str]]:
    """(command, option) of every option of the command line that takes a number."""
    found = []
    for one in command().registered_commands:
        assert one.callback is not None
        hints = get_type_hints(one.callback, include_extras=True)
        for name, hint in hints.items():
            kind, *declared = get_args(hint) or (None,)
            is_number = {int, float} & {kind, *get_args(kind)}
            if is_number and isinstance(declared[0], OptionInfo):
                options = declared[0].param_decls or (f"--{name.replace('_', '-')}",)
                found.append((one.callback.__name__, max(options, key=len)))
    return found


@pytest.mark.parametrize(("name", "option"), numbers())
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "-inf", "1e999", ""])
def test_a_number_that_cannot_be_meant_is_refused(
    name: str, option: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command(), [name, f"{option}={value}"])
    assert done.exit_code == 2, done.output
    assert option in done.output
    assert list(tmp_path.iterdir()) == []


def test_there_are_numbers_to_look_at() -> None:
    assert len(numbers()) > 20
    assert {"run", "steer", "gate", "replay", "watch", "plan"} <= {name for name, _ in numbers()}


@pytest.mark.parametrize(("name", "option"), [pair for pair in numbers() if pair[1] not in ZERO_IS_MEANT])
def test_zero_is_refused_where_nothing_would_be_done(name: str, option: str) -> None:
    done = CliRunner().invoke(command(), [name, f"{option}=0"])
    assert done.exit_code == 2, done.output
    assert option in done.output
