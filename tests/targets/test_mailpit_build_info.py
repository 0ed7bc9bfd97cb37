"""The version in a real program's build information, read without Go, is the one that Go reads."""

import shutil
import subprocess
from collections.abc import Callable

import pytest
from mailrace.targets.mailpit import find
from mailrace.targets.mailpit.binary import build_version

from tests.absent import lacking

pytestmark = pytest.mark.mailpit


@pytest.mark.parametrize("version", ["1.27.11", "1.30.5"])
def test_build_information_is_what_go_says(version: str, real_mailpit: Callable[[str], str]) -> None:
    go = shutil.which("go")
    if go is None:
        lacking("no Go toolchain to compare with")
    real_mailpit(version)
    binary, _ = find(version)
    assert binary is not None
    said = subprocess.run([go, "version", "-m", binary.path], capture_output=True, text=True, check=True)
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("\tmod\t")]
    assert build_version(binary.path) == line.split("\t")[3].removeprefix("v")
