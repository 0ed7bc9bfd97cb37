"""The command `mailrace`, to which each file of this folder adds its sub-commands, and how its help looks.

The help is plain text of at most 80 columns: options in their groups, commands in theirs, nothing cut off.
It is laid out here, because with rich `--help` would take twice as long.
"""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mailrace import __version__

COMMANDS = {
    "Look at a server": ("run", "steer", "survey", "record", "replay", "watch"),
    "Compare versions and policies": ("gate", "matrix", "bisect", "retries"),
    "Read and hand on what a run left": ("report", "merge", "bundle"),
    "Write scenarios": ("init", "check", "plan", "schema"),
    "Servers to look at": ("targets", "install", "serve", "doctor", "cleanup"),
}
"""The commands in the order of `--help`; one that is not named here comes last."""
_OTHERS = "More"


class Command(TyperCommand):
    """A sub-command whose help shows its options in their groups."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments first, then each group in the order in which its first option is declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                if parameter.param_type_name == "argument":
                    record, group = (parameter.metavar or parameter.name or "", record[1]), "Arguments"
                else:
                    group = getattr(parameter, "rich_help_panel", None) or "Options"
                groups.setdefault(group, []).append(record)
        groups["Options"] = groups.pop("Options", [])  # what is in no group comes last
        for name, records in groups.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records, col_max=26)


class Commands(TyperGroup):
    """The group of all sub-commands. Its help gives the first sentence of each of them, whole."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        known = [name for names in COMMANDS.values() for name in names]
        return sorted(self.commands, key=lambda name: known.index(name) if name in known else len(known))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A section for each group of commands."""
        known = {name for names in COMMANDS.values() for name in names}
        others = tuple(name for name in self.commands if name not in known)
        for group, names in (*COMMANDS.items(), (_OTHERS, others)):
            rows = [(name, _sentence(self.commands[name].help)) for name in names if name in self.commands]
            if rows:
                with formatter.section(group):
                    formatter.write_dl(rows)


def _sentence(text: str | None) -> str:
    """The first sentence or paragraph of a help."""
    return " ".join((text or "").split("\n\n")[0].split()).partition("; ")[0].rstrip(".") + "."


app = typer.Typer(
    name="mailrace",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find, prove, gate and report concurrency races in Mailpit, on the unmodified server.",
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Add a sub-command of the function's name, with the help of this folder's commands."""
    return app.command(cls=Command)(function)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mailrace {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Find, prove, gate and report concurrency races in Mailpit, on the unmodified server.

    Exit status: 0 PASS, 1 RACE, 2 bad scenario or option, 3 INCONCLUSIVE, 4 target or internal failure,
    130 interrupted.
    """
