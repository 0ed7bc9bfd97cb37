"""For all tests: real Mailpit programs, which CI must have; faulty servers; which worker runs what."""

import signal
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from mailrace.model import errors
from mailrace.targets import install, why_not
from xdist.scheduler import LoadScopeScheduling

from tests.absent import lacking
from tests.faulty.faulty_program import faulty_program

# Whoever runs us in a shell's background has it ignored, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def real_mailpit() -> Callable[[str], str]:
    """A version to the name of its target, installed when needed; without it CI fails, others skip."""

    def have(version: str) -> str:
        name = f"mailpit@{version}"
        if why_not(name):
            try:
                install(version)
            except errors.TargetError as error:
                lacking(str(error))
        return name

    return have


@pytest.fixture
def faulty(tmp_path: Path) -> Callable[..., str]:
    """`faulty("swapped_bodies", of="fixed")`: a target `mailpit:PATH`, the reference with that one fault.

    All faults are in `tests/faulty/planted`; `meeting="memory"` has no SQL tell who else is there.
    """

    def have(
        fault: str, of: str = "fixed", meeting: str = "store", settings: Mapping[str, str] | None = None
    ) -> str:
        return faulty_program(tmp_path, fault, of, meeting, settings)

    return have


class OneWorkerAFixture(LoadScopeScheduling):
    """Files that keep something for all their tests go to one worker, which makes it once; others go singly.

    The largest files are handed out first and then what is slow, so that no long one is begun at the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if keeps_something(self.config.rootpath / file) else nodeid


@cache
def keeps_something(file: Path) -> bool:
    """Whether a fixture of that file lives as long as the file, or a function of it keeps what it gave."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return 'scope="module"' in text or "\n@cache\n" in text


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorkerAFixture:
    """With `-n`: the scheduler above."""
    return OneWorkerAFixture(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of xdist what is slow comes first; what is left is short, so all end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not any(map(item.get_closest_marker, ("slow", "mailpit", "browser"))))
