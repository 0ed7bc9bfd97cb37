"""The program inside a container image: copied out by an engine, and a sentence where there is none."""

import os
import sys
from pathlib import Path

import pytest
from mailrace.model.errors import TargetError, UsageError
from mailrace.studies.image import is_image, program_of

ENGINE = """#!{python}
import json, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(" ".join(words) + "\\n")
if words[0] == "info":
    sys.exit({info})
if words[:2] == ["image", "inspect"]:
    print(json.dumps({entry!r}))
elif words[0] == "create":
    print("c0ffee")
elif words[0] == "cp":
    open(words[2], "w").write("#!/bin/sh\\n")
elif words[0] == "pull":
    sys.exit("no such image")
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH has what the test puts into its folder, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MAILRACE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    return tmp_path


def install_engine(machine: Path, *, info: int = 0, entry: object = ("/mailpit",)) -> None:
    engine = machine / "bin" / "podman"
    engine.write_text(ENGINE.format(python=sys.executable, log=str(machine / "log"), info=info, entry=entry))
    engine.chmod(0o755)


def test_what_asks_for_an_image() -> None:
    assert is_image("image:axllent/mailpit:v1.30.5")
    assert not is_image("mailpit@1.30.5")


def test_the_program_is_copied_out_and_the_container_removed(machine: Path) -> None:
    install_engine(machine)
    target = program_of("image:axllent/mailpit:v1.30.5")
    path = Path(target.removeprefix("mailpit:"))
    assert path == machine / "cache" / "mailpit" / "images" / "axllent-mailpit-v1.30.5" / "mailpit"
    assert os.access(path, os.X_OK)
    asked = (machine / "log").read_text().splitlines()
    assert [line.split(" ")[0] for line in asked] == ["info", "image", "image", "create", "cp", "rm"]
    assert asked[-1] == "rm -f c0ffee"


def test_without_an_engine_it_says_what_to_do(machine: Path) -> None:
    with pytest.raises(TargetError, match=r"a container engine is needed \(docker, .*there is none here"):
        program_of("image:axllent/mailpit:v1.30.5")


def test_a_client_without_its_engine_is_told_apart(machine: Path) -> None:
    install_engine(machine, info=1)
    with pytest.raises(TargetError, match="podman is installed but its engine does not answer"):
        program_of("image:axllent/mailpit:v1.30.5")
    assert (machine / "log").read_text() == "info\n"


def test_an_image_of_something_else(machine: Path) -> None:
    install_engine(machine, entry=None)
    with pytest.raises(TargetError, match="is it an image of Mailpit"):
        program_of("image:alpine")


def test_a_name_that_is_no_image(machine: Path) -> None:
    with pytest.raises(UsageError, match="is no image"):
        program_of("image:-rm")
