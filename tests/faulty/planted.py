"""Servers with one planted fault, as targets: a name in, what `--target` takes out."""

import sys
from pathlib import Path

_PROGRAM = Path(__file__).with_name("faulty_server.py")


def planted(fault: str, folder: Path) -> str:
    """The target name of a server with that fault (`faulty_server`); its program is put into `folder`."""
    script = folder / f"mailpit-{fault}"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_PROGRAM}" {fault} "$@"\n')
    script.chmod(0o755)
    return f"mailpit:{script}"
