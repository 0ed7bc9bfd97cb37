"""Takes the name of a container image; gives the Mailpit program in it, to be started like any other.

The program is copied out of the image and not run in it. So it is ours to start and the gate can steer it,
and what is judged is the very file that the image ships.
"""

import json
import platform
import re
import shutil
import subprocess
import sys

from mailrace.history import writing
from mailrace.model.errors import TargetError, UsageError
from mailrace.targets.mailpit.lookup import cache_folder

PREFIX = "image:"
ENGINES = ("docker", "podman", "nerdctl")
COMMAND_S_MAX = 600.0
"""So long one command of the engine may take; pulling an image takes longest."""


def is_image(name: str) -> bool:
    """Whether a target's name asks for a container image: `image:axllent/mailpit:v1.30.5`."""
    return name.startswith(PREFIX)


def program_of(name: str) -> str:
    """The target `mailpit:PATH` of the program inside an image, copied into the cache.

    Raises UsageError for a name that is no image's, TargetError with the next step where there is no
    container engine that answers, no such image, or no program in it that this system can run.
    """
    reference = name.removeprefix(PREFIX)
    if not re.fullmatch(r"[a-z0-9][\w./:@-]*", reference):
        raise UsageError(f"{name}: is no image; wanted one such as image:axllent/mailpit:v1.30.5")
    if sys.platform != "linux":
        raise TargetError(
            f"{name}: an image holds a Linux program, and this is {platform.system()}; "
            "give mailpit@VERSION or a running server's http://HOST:8025?smtp=HOST:1025"
        )
    engine = _engine(name)
    entry = _entry(engine, name, reference)
    folder = cache_folder() / "images" / re.sub(r"[^\w.-]+", "-", reference)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    # A container that is never started is enough to copy out of.
    container = _said(engine, name, "create", reference).strip().splitlines()[-1]
    try:
        _said(engine, name, "cp", f"{container}:{entry}", str(folder / "mailpit"))
    finally:
        subprocess.run([engine, "rm", "-f", container], capture_output=True, check=False, timeout=60)
    (folder / "mailpit").chmod(0o755)
    return f"mailpit:{folder / 'mailpit'}"


def _engine(name: str) -> str:
    """The first engine that is installed and whose service answers."""
    silent = []
    for engine in ENGINES:
        if shutil.which(engine) is None:
            continue
        try:
            asked = subprocess.run([engine, "info"], capture_output=True, check=False, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            asked = None
        if asked is not None and asked.returncode == 0:
            return engine
        silent.append(engine)
    found = f"{silent[0]} is installed but its engine does not answer" if silent else "there is none here"
    raise TargetError(
        f"{name}: a container engine is needed ({', '.join(ENGINES)}), and {found}; start one, give "
        "mailpit@VERSION, or a running server's http://HOST:8025?smtp=HOST:1025"
    )


def _entry(engine: str, name: str, reference: str) -> str:
    """The path of the program that the image starts; the image is pulled where it is not there yet."""
    ask = ("image", "inspect", "--format", "{{json .Config.Entrypoint}}", reference)
    known = subprocess.run([engine, *ask], capture_output=True, check=False, timeout=60)
    if known.returncode != 0:
        _said(engine, name, "pull", reference)
    entry = json.loads(_said(engine, name, *ask) or "null")
    if not isinstance(entry, list) or not entry or not str(entry[0]).startswith("/"):
        raise TargetError(f"{name}: its entry point {entry} names no program; is it an image of Mailpit?")
    return str(entry[0])


def _said(engine: str, name: str, *words: str) -> str:
    try:
        done = subprocess.run(
            [engine, *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=COMMAND_S_MAX,
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise TargetError(f"{name}: {engine} {words[0]}: {wrong}") from wrong
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise TargetError(f"{name}: {engine} {words[0]} failed: {last[:300]}")
    return done.stdout
