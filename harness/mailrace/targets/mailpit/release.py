"""Takes a version; gives the program out of that release's archive, checked, or says why there is none.

Layout: `BASE/vVERSION/mailpit-OS-ARCH.tar.gz` holds a file `mailpit`; where a release publishes one,
`….tar.gz.sha256` begins with the archive's digest in hex.
"""

import hashlib
import os
import platform
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from mailrace.model.errors import TargetError
from mailrace.targets.cutting import whole_within
from mailrace.targets.wires import opened_by

RELEASES_URL = "https://github.com/axllent/mailpit/releases/download"
CONNECT_S_MAX = 3.0
READ_S_MAX = 60.0
WHOLE_S_MAX = 900.0
"""The longest download of one file, however its bytes come; as long as a build."""
PROGRAM_BYTES_MAX = 512 * 1024 * 1024
MEMBERS_MAX = 1_000

SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv6l": "arm",
    "armv7l": "arm",
}


class Unavailable(Exception):
    """A version cannot be got in this way; another way may work. The text says why."""


def archive_name() -> str:
    """The archive for this machine, `mailpit-linux-amd64.tar.gz`. Raises Unavailable where there is none."""
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine().lower())
    if not system or not machine:
        raise Unavailable(f"no release for {platform.system()} on {platform.machine()}")
    return f"mailpit-{system}-{machine}.tar.gz"


def download(
    version: str, folder: Path, say: Callable[[str], None], whole_s: float = WHOLE_S_MAX
) -> tuple[Path, dict[str, object]]:
    """The program in `folder`, and {from, archive_sha256, digest_checked}. Each file has `whole_s` seconds.

    Raises Unavailable where there is no whole archive. Raises TargetError for one that is not what it should
    be: with a wrong digest or a strange content, nothing else is tried.
    """
    name = archive_name()
    base = (os.environ.get("MAILRACE_RELEASES_URL") or RELEASES_URL).rstrip("/")
    url = f"{base}/v{version}/{name}"
    say(f"downloading {url}")
    archive = folder / name
    # The digest comes first: where a release publishes one, no archive is used that does not have it.
    published = _published_digest(f"{url}.sha256", folder / f"{name}.sha256", whole_s)
    try:
        _fetch(url, archive, whole_s)
    except OSError as error:
        raise Unavailable(_why(url, error, whole_s)) from error
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if published and digest != published:
        raise TargetError(
            f"mailpit@{version}: {url} has the SHA-256 {digest}, but {published} is published; it is not used"
        )
    program = folder / "mailpit"
    _extract(archive, program, f"mailpit@{version}: {url}")
    return program, {"from": url, "archive_sha256": digest, "digest_checked": bool(published)}


def _fetch(url: str, file: Path, whole_s: float) -> None:
    """Write what is at the URL into a file. Raises OSError, as all errors of requests are."""
    import requests

    with requests.Session() as session:
        opened = opened_by(session)
        with (
            whole_within(whole_s, lambda: list(opened)),
            session.get(url, timeout=(CONNECT_S_MAX, READ_S_MAX), stream=True) as answer,
            file.open("wb") as content,
        ):
            answer.raise_for_status()
            for part in answer.iter_content(65_536):
                content.write(part)
                if content.tell() > PROGRAM_BYTES_MAX:
                    raise OSError(f"over {PROGRAM_BYTES_MAX:,} bytes")


def _published_digest(url: str, file: Path, whole_s: float) -> str:
    """The digest that the release publishes, "" where it publishes none."""
    try:
        _fetch(url, file, whole_s)
    except OSError as error:
        if _status(error) is None:
            raise Unavailable(_why(url, error, whole_s)) from error
        return ""
    found = re.match(rb"[0-9a-fA-F]{64}\b", file.read_bytes()[:100])
    if found is None:
        raise TargetError(f"{url}: no SHA-256 digest; the release cannot be checked, so it is not used")
    return found[0].decode().lower()


def _extract(archive: Path, program: Path, place: str) -> None:
    """The one file `mailpit`, read out rather than unpacked, so that no name in the archive names a path."""
    try:
        with tarfile.open(archive, "r:gz") as content:
            for _ in range(MEMBERS_MAX):
                member = content.next()
                if member is None:
                    break
                if member.name != "mailpit":
                    continue
                source = content.extractfile(member) if member.isreg() else None
                if source is None or not 0 < member.size <= PROGRAM_BYTES_MAX:
                    raise TargetError(f"{place}: its 'mailpit' is no ordinary file; it is not used")
                with source, program.open("wb") as target:
                    shutil.copyfileobj(source, target)
                program.chmod(0o755)
                return
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise Unavailable(
            f"{urlsplit(place).path.rpartition('/')[2]} is cut off or no archive: {error}"
        ) from error
    raise TargetError(f"{place}: holds no 'mailpit'; it is not used")


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None)


def _why(url: str, error: BaseException, whole_s: float) -> str:
    status = _status(error)
    host = urlsplit(url).netloc
    if status is not None:
        return f"{host} answers {status} for {urlsplit(url).path.rpartition('/')[2]}"
    kind = type(error).__name__
    if isinstance(error, TimeoutError):
        return f"{host} did not give {urlsplit(url).path.rpartition('/')[2]} whole within {whole_s:g} s"
    if "Timeout" in kind:
        return f"{host} does not answer within {CONNECT_S_MAX:g} s"
    if "Chunked" in kind or "Incomplete" in str(error):
        return f"{host} cut the download off"
    return f"{host} cannot be reached"
