"""Fixtures for all tests: real Mailpit programs, which CI must have and others may lack; faulty servers."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model import errors
from mailrace.targets import install, why_not

from tests.absent import lacking
from tests.faulty.faulty_program import faulty_program

# Whoever runs us in a shell's background has it ignored, and so would every process that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


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

    def have(fault: str, of: str = "fixed", meeting: str = "store") -> str:
        return faulty_program(tmp_path, fault, of, meeting)

    return have
