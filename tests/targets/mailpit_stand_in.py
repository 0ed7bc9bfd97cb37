"""Programs that answer `--help` and `version` as a Mailpit of a stated version does."""

import sys
from pathlib import Path

SCRIPT = """#!{python} -IS
import sys
said = {said!r}
if sys.argv[1:] == ["--help"]:
    print("Mailpit, a stand-in\\n\\nFlags:\\n  -s, --smtp string  x\\n      --disable-version-check  x")
elif sys.argv[1:] == ["version", "--help"]:
    print("Flags:\\n      --no-release-check  x" if {checks!r} else "Flags:")
elif sys.argv[1:2] == ["version"] and sys.argv[2:] == (["--no-release-check"] if {checks!r} else []):
    print(sys.argv[0], said, "compiled with go1.26.8 on linux/amd64", flush=True)
    if not {checks!r}:
        sys.stdin.read(); import time; time.sleep(3600)  # It asks the network.
else:
    sys.exit(2)
"""


def stand_in(path: Path, said: str = "dev", *, checks: bool = True, module: str = "") -> Path:
    """A program that answers as Mailpit of that version, with Go's build information in its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = SCRIPT.format(python=sys.executable, said=said, checks=checks)
    if module:
        text += f'build = """\nmod\tgithub.com/axllent/mailpit\t{module}\th1:x\n"""\n'
    path.write_text(text)
    path.chmod(0o755)
    return path
