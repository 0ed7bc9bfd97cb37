"""The command `mailrace`, to which each file of this folder adds its sub-commands."""

import typer

from mailrace import __version__

app = typer.Typer(
    name="mailrace",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find, prove, gate and report concurrency races in Mailpit, on the unmodified server.",
)


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
