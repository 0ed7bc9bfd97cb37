"""Help: quick, without heavy imports, for each command."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from mailrace import __version__

from tests.running import COMMAND, mailrace


def test_the_version(tmp_path: Path) -> None:
    assert mailrace("--version", cwd=tmp_path).stdout == f"mailrace {__version__}\n"


def cpu_s(words: list[str]) -> float:
    """CPU seconds of a child, the best of three: a busy machine only ever adds."""
    best = 1e9
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def test_help_is_quick() -> None:
    """0.16 s where a bare interpreter takes 0.018 s (2 cores, 2026): a fat import would double it."""
    assert cpu_s([*COMMAND, "--help"]) < 18 * cpu_s([sys.executable, "-I", "-c", "pass"])


def test_help_imports_nothing_that_costs() -> None:
    heavy = [
        "aiohttp",
        "aiosmtpd",
        "h11",
        "jinja2",
        "psutil",
        "pydantic",
        "requests",
        "rich",
        "ruamel",
        "tenacity",
    ]
    program = (
        "import sys; sys.argv = ['mailrace', '--help']\n"
        "from mailrace.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "Compare versions and policies:" in done.stdout


@pytest.mark.parametrize(
    "words", [["run"], ["check"], ["plan"], ["replay"], ["steer"], ["serve"], ["report"]]
)
def test_each_command_helps(words: list[str], tmp_path: Path) -> None:
    done = mailrace(*words, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: mailrace {words[0]} ")
    assert "Missing" not in done.stdout
