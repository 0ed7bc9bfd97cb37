"""What users copy: the action, the workflow, compose, the hook and the commands in docs/gate.md."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from mailrace import cli
from mailrace.studies.gate.baseline import load_baseline
from ruamel.yaml import YAML

from tests.absent import lacking
from tests.running import mailrace

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"


def yaml(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


def commands(text: str) -> list[list[str]]:
    """Every `mailrace …` of a document's shell lines and tables, in words."""
    lines = re.findall(r"^\$ (mailrace .*)$", text, re.MULTILINE)
    lines += re.findall(r"^\|.*\| `(mailrace [^`…]*)` \|", text, re.MULTILINE)
    lines += re.findall(r"&& (mailrace [^'\n]*)", text)
    return [shlex.split(line) for line in lines]


PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
WORDS = sorted({tuple(words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_each_command_of_the_docs_is_one(words: tuple[str, ...]) -> None:
    root = typer.main.get_command(cli.command())
    command = root.commands[words[1]]  # type: ignore[attr-defined]
    # Making the context parses the words as the command line does, and runs nothing.
    assert command.make_context(words[1], list(words[2:])).params


def test_docs_have_commands() -> None:
    assert len(WORDS) >= 20


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


@pytest.mark.parametrize("file", ["action.yml", "docs/before-we-bump-mailpit.yml"])
def test_actions_of_others_are_pinned_by_commit(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    others = re.findall(r"uses: (?!OWNER/)(\S+)", text)
    assert others
    assert [one for one in others if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []


def test_the_action_can_be_used_twice_in_one_job(tmp_path: Path) -> None:
    """Each use has a folder and an artifact of its own, and installs only what is not there yet."""
    steps = yaml(ROOT / "action.yml")["runs"]["steps"]
    (install,) = [s for s in steps if s.get("name") == "Install mailrace"]
    (upload,) = [s for s in steps if "upload-artifact" in s.get("uses", "")]
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "mailrace").write_text("#!/bin/sh\n", encoding="utf-8")
    (venv / "mailrace").chmod(0o755)
    there = {
        "PYTHON": "/bin/false",
        "ACTION": "/nowhere",
        "VENV": str(tmp_path / "venv"),
        "PATH": "/usr/bin:/bin",
    }
    subprocess.run(["bash", "-e", "-c", install["run"]], cwd=tmp_path, env=there, check=True)
    outputs = [gate_step(tmp_path, f"output-{use}")[1] for use in (1, 2)]
    for name in ("report", "artifact"):
        assert (
            upload["with"][{"report": "path", "artifact": "name"}[name]]
            == f"${{{{ steps.gate.outputs.{name} }}}}"
        )
        assert outputs[0][name] != outputs[1][name]
        assert re.fullmatch(r"[\w./-]+", outputs[0][name])


def gate_step(tmp_path: Path, output: str = "output") -> tuple[int, dict[str, str]]:
    """The action's own script with a stand-in for mailrace: its status, and what it hands on."""
    (step,) = [s for s in yaml(ROOT / "action.yml")["runs"]["steps"] if s.get("id") == "gate"]
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True, exist_ok=True)
    (venv / "mailrace").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nexit 3\n')
    (venv / "mailrace").chmod(0o755)
    environment = {
        "VENV": str(tmp_path / "venv"),
        "TEMPORARY": str(tmp_path),
        "NAME": "mailrace-gate-job-0",
        "FROM": "mailpit@1.27.11",
        "TO": "image:a b; touch x",
        "SCENARIOS": "one *",
        "MODE": "auto",
        "STRICT": "true",
        "BASELINE": "known.yaml",
        "ARGS": "--rounds 5",
        "GITHUB_OUTPUT": str(tmp_path / output),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=False)
    lines = (tmp_path / output).read_text(encoding="utf-8").splitlines()
    return done.returncode, {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_the_actions_script_gates_and_hands_on_the_status(tmp_path: Path) -> None:
    status, output = gate_step(tmp_path)
    assert status == 3
    assert (tmp_path / "words").read_text().splitlines() == [
        *("gate", "--from", "mailpit@1.27.11", "--to", "image:a b; touch x", "--mode", "auto"),
        *("--out", output["report"], "--strict", "--baseline", "known.yaml"),
        *("--rounds", "5", "one", "*"),
    ]
    assert Path(output["report"]).is_dir()
    assert output["verdict"] == "FAILED"


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


def test_compose_gates_as_the_caller_in_the_callers_folder_with_the_options_that_are_given(
    tmp_path: Path,
) -> None:
    gate = yaml(ROOT / "compose.yaml")["services"]["gate"]
    assert ".:/mailrace:ro" in gate["volumes"]
    assert "${PWD:-.}:/work" in gate["volumes"]
    assert gate["working_dir"] == "/work"
    for name, does in (
        ("python", "exit 0"),
        ("cp", "exit 0"),
        ("stat", 'echo "42$2" | tr -d "%"'),
        ("setpriv", f'printf "%s\\n" "$@" > {tmp_path}/words'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    shell, flags, script, *rest = gate["entrypoint"]
    script = script.replace("$$", "$").replace("/tmp/venv/bin/python", "python")
    subprocess.run(
        [shell, flags, script, *rest, "--strict", "-k", "send*"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "OLD": "1.27.11", "NEW": "1.30.5"},
        check=True,
    )
    assert (tmp_path / "words").read_text(encoding="utf-8").splitlines() == [
        *("--reuid=42u", "--regid=42g", "--clear-groups", "/tmp/venv/bin/mailrace"),
        *("gate", "--from", "mailpit@1.27.11", "--to", "mailpit@1.30.5", "--strict", "-k", "send*"),
    ]


@pytest.mark.slow
def test_the_hook_checks_the_files_it_is_given(tmp_path: Path) -> None:
    (hook,) = yaml(ROOT / ".pre-commit-hooks.yaml")
    assert re.search(hook["files"], "scenarios/shared-new-tag.race.yaml")
    assert not re.search(hook["files"], "compose.yaml")
    (tmp_path / "a.race.yaml").write_text("name: a\ntitle: t\nactrs: []\n")
    _, *words = shlex.split(hook["entry"])
    done = mailrace(*words, "a.race.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "a.race.yaml:3:1: actrs" in done.stderr


LINTER = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
USER = """
on: push
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: one
        uses: ./
        with: {from: mailpit@1.27.11, to: mailpit@1.30.5}
      - uses: ./
        with: {from: mailpit@1.30.5, to: mailpit@1.33.1, INPUT: "true"}
      - run: echo "$SAID"
        env: {SAID: "${{ steps.one.outputs.OUTPUT }}"}
"""


@pytest.fixture(scope="module")
def lint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[str]]:
    """Gives what the linter of GitHub's workflows says of files in a repository that has our action."""
    folder = tmp_path_factory.mktemp("linter")
    linter = shutil.which("actionlint") or str(folder / "actionlint")
    if not Path(linter).is_file():
        go = shutil.which("go")
        if go is None:
            lacking("no `go` to install the linter of workflows with")
        environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": ""}
        made = subprocess.run(
            [go, "install", LINTER], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        if made.returncode:
            lacking(f"the linter of workflows cannot be installed: {made.stderr[-300:]}")

    def said(files: dict[str, str], repository: Path) -> list[str]:
        workflows = repository / ".github" / "workflows"
        workflows.mkdir(parents=True)
        (repository / ".git").mkdir()
        shutil.copy(ROOT / "action.yml", repository)
        for name, text in files.items():
            (workflows / name).write_text(text, encoding="utf-8")
        words = [linter, "-no-color", "-oneline"]
        done = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout.splitlines()

    return said


@pytest.mark.slow
def test_workflows_and_a_use_of_the_action_have_no_fault_for_the_linter(
    lint: Callable[..., list[str]], tmp_path: Path
) -> None:
    files = {file.name: file.read_text() for file in (ROOT / ".github" / "workflows").glob("*.yml")}
    used = USER.replace("INPUT", "strict").replace("OUTPUT", "verdict")
    assert lint({**files, "user.yml": used}, tmp_path / "right") == []
    # The linter does read the action: an input and an output that it does not have are found.
    wrong = USER.replace("INPUT", "strickt").replace("OUTPUT", "verdikt")
    found = lint({"user.yml": wrong}, tmp_path / "wrong")
    assert [word in line for word, line in zip(("strickt", "verdikt"), found, strict=True)] == [True, True]


@pytest.mark.slow
def test_the_steps_of_the_action_have_no_fault_for_the_linter(
    lint: Callable[..., list[str]], tmp_path: Path
) -> None:
    """It reads the steps of workflows only, so they stand in one here, with its inputs and outputs."""
    action = yaml(ROOT / "action.yml")
    inputs = {
        name: {"type": "string", "required": one.get("required", False)}
        for name, one in action["inputs"].items()
    }
    outputs = {name: one["value"] for name, one in action["outputs"].items()}
    job = {"runs-on": "ubuntu-latest", "steps": action["runs"]["steps"], "outputs": outputs}
    workflow = {"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"gate": job}}
    # Every JSON document is one of YAML.
    assert lint({"action.yml": json.dumps(workflow)}, tmp_path / "right") == []
    broken = json.dumps(workflow).replace("inputs.baseline", "inputs.baselines")
    assert any("baselines" in line for line in lint({"action.yml": broken}, tmp_path / "wrong"))
