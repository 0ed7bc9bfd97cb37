"""A fault's name in; an executable out that is taken for a Mailpit and runs the reference with that fault."""

import sys
from collections.abc import Mapping
from pathlib import Path

from mailrace.embedded.__main__ import parser

HERE = Path(__file__).parent
SAID_OF_FIXED = "1.30.5"
"""What a faulty `fixed` answers as its version, for it has no release of its own."""

_SCRIPT = """#!{python} -IS
import os, sys
asked = sys.argv[1:]
if asked == ["--help"]:
    print({usage!r})
elif asked == ["version", "--help"]:
    print("Flags:\\n      --no-release-check  x")
elif asked[:1] == ["version"]:
    print("mailpit v{said} compiled with go1.26.8 on linux/amd64")
else:
    os.environ.update({settings!r})
    start = [sys.executable, "-X", "frozen_modules=on", {main!r}, {fault!r}, {of!r}, {meeting!r}]
    os.execv(start[0], start + asked)
"""


def faulty_program(
    folder: Path,
    fault: str,
    of: str = "fixed",
    meeting: str = "store",
    settings: Mapping[str, str] | None = None,
) -> str:
    """Writes the program into `folder`; gives the target's name, `mailpit:PATH`.

    fault     a name in `planting.FAULTS`; one that is not there ends the server at its start
    of        the version of the reference that has it
    meeting   where the fault sees who else is here: "store" (SQL, across processes) or "memory" (no SQL)
    settings  what its environment has, of which a server of ours inherits nothing
    """
    flags = [option for action in parser()._actions for option in action.option_strings]
    usage = "Mailpit with a planted fault\n\nFlags:\n"
    usage += "\n".join(f"      {flag}  x" for flag in flags if flag.startswith("--"))
    program = folder / f"{fault}-of-{of}-{meeting}"
    program.write_text(
        _SCRIPT.format(
            python=sys.executable,
            usage=usage,
            said=SAID_OF_FIXED if of == "fixed" else of,
            main=str(HERE / "faulty_main.py"),
            fault=fault,
            of=of,
            meeting=meeting,
            settings=dict(settings or {}),
        ),
        encoding="utf-8",
    )
    program.chmod(0o755)
    return f"mailpit:{program}"
