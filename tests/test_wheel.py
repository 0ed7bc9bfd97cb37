"""What is published: the sdist, the wheel in the project of a stranger, the image, and the workflows."""

import email
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from mailrace import __version__
from mailrace.scenario import shipped

from tests.clean_shell import ROOT, run

PROJECT = {
    "harness/__init__.py": "WHOSE = 'the project'\n",
    "tests/__init__.py": "",
    "tests/test_own.py": "from harness import WHOSE\n\ndef test_own():\n    assert WHOSE == 'the project'\n",
    "scenarios/__init__.py": "",
}
TEMPLATES = (".j2", ".css", ".js")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist of the repository as it stands, and with the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    # The build tools are those of the tests' own environment, so that nothing is downloaded.
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """The wheel."""
    (built,) = dist.glob("mailrace-*.whl")
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


def test_the_sdist_has_all_that_is_needed_to_build_test_and_read_it(dist: Path) -> None:
    (packed,) = dist.glob("mailrace-*.tar.gz")
    with tarfile.open(packed) as held:
        names = {name.partition("/")[2] for name in held.getnames()}
    wanted = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.split("\n")
    elsewhere = (".github/", ".ci/", "reports/", ".")
    assert {name for name in wanted if name and not name.startswith(elsewhere)} - names == set()


def test_the_metadata_tell_strangers_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as held:
        (name,) = [name for name in held.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(held.read(name))
        assert "mailrace/py.typed" in held.namelist()
    assert (metadata["Name"], metadata["Version"]) == ("mailrace", __version__)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {"Typing :: Typed", "Framework :: Pytest"} <= set(metadata.get_all("Classifier", []))
    assert metadata.get_payload().startswith("# mailrace\n")


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
    assert (project / "reports" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    module = run(project / ".venv/bin/python", "-m", "mailrace", "--version", cwd=project)
    assert module.stdout == f"mailrace {__version__}\n", module.stderr
    schema = run(mailrace, "schema", cwd=project)
    assert json.loads(schema.stdout)["properties"]["actors"]


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of that stage of the Containerfile, in order, from the first, which is FROM, on."""
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    told = [line.partition(" ")[::2] for line in lines if line and not line.startswith("#")]
    starts = [number for number, (word, _) in enumerate(told) if word == "FROM"]
    return told[starts[stage] : (starts[1] if stage == 0 else None)]


def script_of(stage: int, root: Path) -> str:
    """The stage as a shell script below `root` in place of the root of an image."""
    lines = ["set -eu"]
    for word, rest in instructions(stage):
        # Every absolute path is one of the image, and so is one below `root`.
        here = re.sub(r"(?<![\w$.])/(?=(?:opt|source|work|mailpits)\b)", f"{root}/", rest)
        if word == "RUN":
            lines.append(here)
        elif word == "COPY":
            source, place = here.replace("--from=build ", "").split()
            lines += [] if source == place else [f"cp -r {source} {place}"]
        elif word == "ENV":
            lines += [f"export {pair}" for pair in here.split(" ")]
        elif word == "WORKDIR":
            lines.append(f"cd {here}")
        elif word == "ENTRYPOINT":
            lines.append(f'exec {shlex.join(json.loads(rest))} "$@"')
        else:
            assert word in ("FROM", "USER")
    return "\n".join(lines)


def test_the_image_is_built_and_runs_by_the_instructions_of_the_containerfile(
    dist: Path, project: Path, tmp_path: Path
) -> None:
    """Both stages as scripts: the first gets what the build context holds, the second starts mailrace."""
    root = tmp_path / "image"
    context = tmp_path / "context"
    context.mkdir(parents=True)
    root.mkdir()
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line.startswith("!"):
            copy = shutil.copytree if (ROOT / line[1:]).is_dir() else shutil.copy
            copy(ROOT / line[1:], context / line[1:])
    # What pip would download is in the tests' own environment; it sees all of that but mailrace.
    there = tmp_path / "there"
    there.mkdir()
    for package in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "mailrace" not in package.name:
            (there / package.name).symlink_to(package)
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    for name, text in (("useradd", ""), ("chown", ""), ("python", f'exec {sys.executable} "$@"')):
        (stubs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (stubs / name).chmod(0o755)
    surroundings = {
        "PYTHONPATH": str(there),
        "PIP_NO_BUILD_ISOLATION": "0",  # read as the option that it is called after: no isolation
        "PIP_NO_INDEX": "1",
        "PATH": f"{stubs}:{os.environ['PATH']}",
    }
    built = run("sh", "-c", script_of(0, root), cwd=context, **surroundings)
    assert built.returncode == 0, built.stdout + built.stderr
    words = ("run", "no-rset-after-failure", "-t", "embedded@1.30.5", "--rounds", "2", "--no-control")
    started = run("sh", "-c", script_of(1, root), "image", *words, cwd=tmp_path, **surroundings)
    assert started.returncode == 1, started.stdout + started.stderr
    assert "envelope_leaked" in started.stdout
    assert (root / "work" / "reports" / "latest" / "run.json").is_file()
    told = run("sh", "-c", script_of(1, root), "image", "doctor", cwd=tmp_path, **surroundings)
    assert str(root / "mailpits") in told.stdout, "a Mailpit that is mounted there is found"
