"""The pytest plugin in; tables of its options and fixtures out."""

import inspect
from typing import Any

from _pytest.config.argparsing import Parser
from _pytest.fixtures import FixtureFunctionDefinition
from mailrace import pytest_plugin


def plugin_options() -> str:
    """A row for each option `--mail-…`."""
    parser = Parser(_ispytest=True)
    pytest_plugin.pytest_addoption(parser)
    lines = ["| option | what it does | default |", "|---|---|---|"]
    for group in parser._groups:
        for option in group.options:
            told: dict[str, Any] = option.attrs()
            metavar = told.get("metavar") or "|".join(told.get("choices", ()))
            words = f"{option.names()[0]}={metavar}".rstrip("=").replace("|", "&#124;")
            default = "" if told.get("default") is None else f"`{told['default']}`"
            lines.append(f"| <code>{words}</code> | {told['help']} | {default} |")
    return "\n".join(lines)


def fixtures() -> str:
    """A row for each fixture: its name, its scope, and what it gives."""
    lines = ["| fixture | scope | what it gives |", "|---|---|---|"]
    for name, value in vars(pytest_plugin).items():
        if isinstance(value, FixtureFunctionDefinition):
            said = " ".join((inspect.getdoc(value._get_wrapped_function()) or "").split())
            lines.append(f"| `{name}` | {value._fixture_function_marker.scope} | {said} |")
    return "\n".join(lines)
