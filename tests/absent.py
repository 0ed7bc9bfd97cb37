"""What a test needs and this machine lacks: whether the test fails or is skipped, and why."""

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Of what CI can have: the test fails there, and is skipped with the reason elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have this: {reason}")
    pytest.skip(reason)


def nowhere_to_be_had(reason: str) -> NoReturn:
    """Of what is available nowhere, CI included, such as Mailpit 1.17.x: the test is skipped."""
    pytest.skip(reason)
