"""What users copy: the action, the workflow, compose, the hook and the commands in docs/gate.md."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from command import mailrace
from mailrace import cli
from mailrace.studies.baseline import load_baseline
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def yaml(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


def commands(text: str) -> list[list[str]]:
    """Every `mailrace …` of a document's shell lines, in words."""
    lines = re.findall(r"^\$ (mailrace .*)$", text, re.MULTILINE)
    lines += re.findall(r"&& (mailrace [^'\n]*)", text)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("words", commands((DOCS / "gate.md").read_text()), ids=" ".join)
def test_each_command_of_the_docs_is_one(words: list[str]) -> None:
    root = typer.main.get_command(cli.command())
    command = root.commands[words[1]]  # type: ignore[attr-defined]
    # Making the context parses the words as the command line does, and runs nothing.
    assert command.make_context(words[1], words[2:]).params


def test_docs_have_commands() -> None:
    assert len(commands((DOCS / "gate.md").read_text())) >= 10


def test_the_example_of_a_baseline_is_one() -> None:
    assert len(load_baseline(DOCS / "baseline.yml")) == 2


def test_links_of_the_docs_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", (DOCS / "gate.md").read_text()):
        assert (DOCS / link).is_file(), link


def test_the_action_passes_inputs_by_the_environment_and_knows_each_of_them() -> None:
    action = yaml(ROOT / "action.yml")
    assert action["runs"]["using"] == "composite"
    steps = action["runs"]["steps"]
    used: set[str] = set()
    for step in steps:
        assert "${{" not in step.get("run", ""), "an expression in a script is an injection"
        used |= set(re.findall(r"inputs\.([a-z-]+)", str(step)))
        assert step.get("shell") == "bash" or "uses" in step
    assert used == set(action["inputs"])


def test_the_actions_script_gates_and_hands_on_the_status(tmp_path: Path) -> None:
    (step,) = [s for s in yaml(ROOT / "action.yml")["runs"]["steps"] if s.get("id") == "gate"]
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "mailrace").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nexit 3\n')
    (venv / "mailrace").chmod(0o755)
    environment = {
        "VENV": str(tmp_path / "venv"),
        "REPORT": str(tmp_path / "report"),
        "FROM": "mailpit@1.27.11",
        "TO": "image:a b; touch x",
        "SCENARIOS": "one *",
        "MODE": "auto",
        "STRICT": "true",
        "BASELINE": "known.yaml",
        "ARGS": "--rounds 5",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 3
    assert (tmp_path / "words").read_text().splitlines() == [
        *("gate", "--from", "mailpit@1.27.11", "--to", "image:a b; touch x", "--mode", "auto"),
        *("--out", str(tmp_path / "report"), "--strict", "--baseline", "known.yaml"),
        *("--rounds", "5", "one", "*"),
    ]
    assert "verdict=FAILED" in (tmp_path / "output").read_text()


def test_the_workflow_reads_both_versions_from_the_change(tmp_path: Path) -> None:
    workflow = yaml(DOCS / "before-we-bump-mailpit.yml")
    (step,) = [s for s in workflow["jobs"]["gate"]["steps"] if s.get("id") == "versions"]
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@e.test"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    for version in ("1.27.11", "1.30.5"):
        (tmp_path / "compose.yaml").write_text(f"    image: axllent/mailpit:v{version}\n")
        subprocess.run([*git, "add", "."], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "-qm", version], cwd=tmp_path, check=True)
    output = tmp_path / "output"
    environment = {"IMAGE_FILE": "compose.yaml", "GITHUB_OUTPUT": str(output), "PATH": "/usr/bin:/bin"}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    assert output.read_text() == "from=axllent/mailpit:v1.27.11\nto=axllent/mailpit:v1.30.5\n"


def test_compose_gates_the_programs_of_both_images() -> None:
    services = yaml(ROOT / "compose.yaml")["services"]
    assert set(services) == {"mailpit", "old", "new", "gate"}
    for name in ("old", "new"):
        program, place = services[name]["entrypoint"][1:]
        assert program == "/mailpit"
        assert place.startswith(f"/programs/mailpit-${{{name.upper()}:-")
        assert services["gate"]["depends_on"][name]["condition"] == "service_completed_successfully"
    assert services["gate"]["environment"]["MAILRACE_MAILPIT_DIR"] == "/programs"
    script = services["gate"]["command"][-1]
    assert 'mailrace gate --from "mailpit@$$OLD" --to "mailpit@$$NEW"' in script


def test_the_hook_checks_the_files_it_is_given(tmp_path: Path) -> None:
    (hook,) = yaml(ROOT / ".pre-commit-hooks.yaml")
    assert re.search(hook["files"], "scenarios/shared-new-tag.race.yaml")
    assert not re.search(hook["files"], "compose.yaml")
    (tmp_path / "a.race.yaml").write_text("name: a\ntitle: t\nactrs: []\n")
    _, *words = shlex.split(hook["entry"])
    done = mailrace(*words, "a.race.yaml", folder=tmp_path)
    assert done.status == 2
    assert "a.race.yaml:3:1: actrs" in done.err
