"""A piece of Python that alters the embedded reference in, a program that is taken for a Mailpit out."""

import sys
from pathlib import Path

from mailrace.embedded.__main__ import parser

_SCRIPT = """#!{python}
import sys
if sys.argv[1:] == ["--help"] or sys.argv[1:] == ["version", "--help"]:
    print({usage!r})
elif sys.argv[1:2] == ["version"]:
    print("mailpit v{version} compiled with go1.26.8 on linux/amd64")
else:
    from mailrace.embedded.__main__ import main

{patch}
    sys.argv[1:1] = ["--version-of", "{version}"]
    raise SystemExit(main())
"""

AROUND_ACCEPT = """
from mailrace.embedded import mailbox
whole = mailbox.Mailbox.accept

async def accept(self, sender, recipients, raw):
{body}

mailbox.Mailbox.accept = accept
"""


def program(folder: Path, patch: str, version: str = "1.30.5") -> str:
    """The target's name: a reference of that version in which `patch` ran before it started."""
    flags = [option for action in parser()._actions for option in action.option_strings]
    usage = "Mailpit\n\nFlags:\n" + "\n".join(f"      {flag}  x" for flag in flags if flag.startswith("--"))
    file = folder / "faulty-mailpit"
    lines = "\n".join(f"    {line}" if line else "" for line in patch.strip().splitlines())
    text = _SCRIPT.format(python=sys.executable, usage=usage, version=version, patch=lines)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return f"mailpit:{file}"


def accepting(body: str) -> str:
    """A patch that replaces how a mail is accepted; `whole` does what the reference does."""
    lines = "\n".join(f"    {line}" if line else "" for line in body.strip().splitlines())
    return AROUND_ACCEPT.format(body=lines)
