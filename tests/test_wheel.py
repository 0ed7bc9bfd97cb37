"""The wheel in a project of a stranger, which has packages called harness, tests and scenarios itself."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from mailrace.scenario import shipped

ROOT = Path(__file__).parent.parent
PROJECT = {
    "harness/__init__.py": "WHOSE = 'the project'\n",
    "tests/__init__.py": "",
    "tests/test_own.py": "from harness import WHOSE\n\ndef test_own():\n    assert WHOSE == 'the project'\n",
    "scenarios/__init__.py": "",
}
TEMPLATES = (".j2", ".css", ".js")

pytestmark = pytest.mark.slow


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAILRACE_", "PYTHON", "PYTEST_"))}
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository as it stands."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    done = run(*pip, "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    if done.returncode:
        reason = f"the wheel cannot be built here: {done.stderr[-300:]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (built,) = folder.glob("mailrace-*.whl")
    return built


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away project with a fresh environment, in which the wheel is installed.

    What mailrace depends on is taken from the tests' own environment, so that nothing is downloaded; the
    repository itself is not on the path, for an editable install is read only in its own environment.
    """
    folder = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    python = folder / ".venv" / "bin" / "python"
    assert run(sys.executable, "-m", "venv", "--without-pip", ".venv", cwd=folder).returncode == 0
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    installed = run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    (packages,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return folder


def test_the_wheel_holds_the_package_and_what_it_needs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        names = set(held.namelist())
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"mailrace"}
    source = ROOT / "harness" / "mailrace"
    wanted = {
        f"mailrace/{file.relative_to(source).as_posix()}"
        for file in source.rglob("*")
        if file.suffix in (".py", *TEMPLATES) or file.name.endswith(".schema.json")
    }
    wanted |= {f"mailrace/shipped/{file.name}" for file in shipped().glob("*.race.yaml")}
    assert len(wanted) > 200
    assert wanted - names == set()
    assert [
        name for name in names if Path(name).name.startswith(("test_", "conftest")) or "bench" in name
    ] == []


def test_what_is_imported_is_the_wheel(project: Path) -> None:
    program = "import mailrace, harness; print(mailrace.__file__, harness.WHOSE, sep='\\n')"
    done = run(project / ".venv/bin/python", "-c", program, cwd=project)
    place, whose = done.stdout.splitlines()
    assert Path(place).is_relative_to(project / ".venv"), done.stderr
    assert whose == "the project"


def test_pytest_runs_with_the_plugin_beside_packages_of_the_same_names(project: Path) -> None:
    done = run(project / ".venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert "mailrace-" in done.stdout, "the plugin is loaded"


def test_the_first_commands_of_a_newcomer_work(project: Path) -> None:
    mailrace = project / ".venv/bin/mailrace"
    for words, statuses, said in (
        (["init"], (0,), "try: mailrace run scenarios/my.race.yaml"),
        (["check"], (0,), "1 scenario file is right"),
        (["check", "shipped"], (0,), f"{len(list(shipped().glob('*.race.yaml')))} scenario files are right"),
        (["run", "no-rset-after-failure", "-t", "embedded@1.30.5", "--rounds", "2"], (1,), "envelope_leaked"),
        (["run", "--rounds", "2", "--no-control"], (1, 3), "report: reports/"),
        (["steer", "shared-new-tag", "-t", "embedded@1.17.0"], (1,), "It looks like race S1"),
    ):
        done = run(mailrace, *words, cwd=project)
        assert done.returncode in statuses, done.stdout + done.stderr
        assert said in done.stdout
        assert "Traceback" not in done.stderr
    schema = run(mailrace, "schema", cwd=project)
    assert json.loads(schema.stdout)["properties"]["actors"]
