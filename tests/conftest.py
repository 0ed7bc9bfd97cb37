"""Fixtures for all tests: real Mailpit programs, which CI must have and others may lack."""

import os
from collections.abc import Callable

import pytest

from harness.model import errors
from harness.targets import install, why_not


@pytest.fixture(scope="session")
def real_mailpit() -> Callable[[str], str]:
    """A version to the name of its target, installed when needed; without it CI fails, others skip."""

    def have(version: str) -> str:
        name = f"mailpit@{version}"
        if why_not(name):
            try:
                install(version)
            except errors.TargetError as error:
                if os.environ.get("CI"):
                    raise
                pytest.skip(str(error))
        return name

    return have
