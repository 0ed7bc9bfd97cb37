"""The application in; the page of every command with its options out."""

from typing import Any

import typer
from mailrace import cli
from mailrace.cli.app import COMMANDS


def commands() -> str:
    """A section for each group of commands, a part for each command, a table for each group of options."""
    root: Any = typer.main.get_command(cli.command())
    lines: list[str] = []
    for group, names in COMMANDS.items():
        lines += [f"## {group}", ""]
        for name in names:
            lines += _command(name, root.commands[name])
    return "\n".join(lines)


def _command(name: str, command: Any) -> list[str]:
    context = typer.Context(command, info_name=f"mailrace {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f"### mailrace {name}",
        "",
        _text(command.help),
        "",
        "```text",
        f"mailrace {name} {usage}",
        "```",
        "",
    ]
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or parameter.name == "help":
            continue
        is_argument = parameter.param_type_name == "argument"
        group = "Arguments" if is_argument else getattr(parameter, "rich_help_panel", None) or "Options"
        words = (parameter.metavar or parameter.name) if is_argument else record[0]
        groups.setdefault(group, []).append(f"| <code>{_cell(words)}</code> | {_text(record[1])} |")
    for group, rows in groups.items():
        lines += [f"| {group} | meaning |", "|---|---|", *rows, ""]
    return lines


def _text(help_text: str | None) -> str:
    """A help as Markdown: each paragraph on one line, and no sign that Markdown or HTML would read."""
    paragraphs = (help_text or "").replace("\f", "").split("\n\n")
    return "\n\n".join(_cell(" ".join(part.split())) for part in paragraphs)


def _cell(text: str) -> str:
    for sign in "|*<[_":
        text = text.replace(sign, f"&#{ord(sign)};") if sign != "|" else text.replace("|", "&#124;")
    return text
