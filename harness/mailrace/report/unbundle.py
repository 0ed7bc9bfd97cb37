"""Takes a zip that anybody may have made; gives the bundle in it, or a sentence on why it is not read."""

import hashlib
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mailrace.history.plan import MAILS
from mailrace.model.errors import UsageError
from mailrace.model.phrases import plural
from mailrace.model.result import RunResult
from mailrace.report.document import from_json

BUNDLE_VERSION = 1
FILES_MAX = 80
"""A run leaves a dozen, and each of its actors may send a message of the user's own."""
FILE_BYTES_MAX = 256 * 1024 * 1024
TOTAL_BYTES_MAX = 512 * 1024 * 1024
RATIO_MAX = 1000
"""How many times its packed size a file over 1 MB may have: more is a zip bomb (logs reach about 100)."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_MAIL = re.compile(r"mail-([0-9a-f]{64})\.eml")
_LAST = ("manifest.json", "SHA256SUMS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was read and found whole."""

    manifest: Mapping[str, object]
    files: Mapping[str, bytes]
    result: RunResult


def read_bundle(path: Path) -> Bundle:
    """The bundle in a zip. Raises UsageError with a sentence where it is damaged, hostile or another's."""
    # A bundle is a stranger's file, so it is checked step by step: first that it is a zip with plain names
    # and sane sizes, then that its manifest is one of ours, then that each file is the one that the manifest
    # lists.
    if not path.is_file():  # a pipe or a device would be waited for
        raise UsageError(f"{path}: no such file; name a bundle that `mailrace bundle` wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            files = _unpacked(archive)
    except _UNREADABLE as error:
        raise UsageError(f"{path}: no whole zip ({error}); was it cut off?") from None
    except _Refused as why:
        raise UsageError(f"{path}: refused: {why}") from None
    try:
        manifest = json.loads(files["manifest.json"])
        version, listed = manifest["bundle"], manifest["files"]
        digests = {str(name): str(entry["sha256"]) for name, entry in listed.items()}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{path}: no bundle of mailrace: manifest.json is missing or no manifest") from None
    if version != BUNDLE_VERSION:
        raise UsageError(f"{path}: bundle version {version!r:.40}; this mailrace reads {BUNDLE_VERSION}")
    # The manifest can be read. Now each file must be in the manifest, and each file of the manifest must be
    # there, unchanged.
    strange = sorted(set(files) - set(digests) - set(_LAST))
    missing = sorted(set(digests) - set(files))
    wrong = sorted(n for n in digests if n in files and sha256(files[n]) != digests[n])
    for what, names in (("not in the manifest", strange), ("missing", missing), ("changed since", wrong)):
        if names:
            raise UsageError(f"{path}: refused: {', '.join(names)[:200]}: {what}")
    if "run.json" not in files:
        raise UsageError(f"{path}: no bundle of mailrace: run.json is missing")
    result = from_json(files["run.json"].decode("utf-8", "replace"), f"{path}: run.json")
    return Bundle(manifest=manifest, files=files, result=result)


_UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
)
"""What zipfile raises for bytes that are no whole zip."""


class _Refused(Exception):
    """Why a zip is not read."""


def _unpacked(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > FILES_MAX:
        raise _Refused(f"it holds {plural(len(entries), 'file')}; a bundle has at most {FILES_MAX}")
    files: dict[str, bytes] = {}
    total = 0
    for entry in entries:
        name = entry.filename
        # The users' own messages go into the folder MAILS, so no file may have that name.
        if not NAME.fullmatch(name) or PurePosixPath(name).name != name or name == MAILS:
            raise _Refused(f"a file is named {name[:120]!r}; names in a bundle are plain, without folders")
        if name in files:
            raise _Refused(f"{name} is there twice")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _Refused(f"{name} is a link")
        if entry.flag_bits & 0x1:
            raise _Refused(f"{name} is encrypted")
        # The name is harmless. The sizes that the archive states are checked before anything is unpacked, so
        # that a small archive cannot fill the memory.
        total += entry.file_size
        if entry.file_size > FILE_BYTES_MAX or total > TOTAL_BYTES_MAX:
            raise _Refused(f"{name} says it is {entry.file_size:,} bytes; that is more than any run leaves")
        if entry.file_size > 1_000_000 and entry.file_size > RATIO_MAX * max(entry.compress_size, 1):
            raise _Refused(f"{name} grows from {entry.compress_size:,} to {entry.file_size:,} bytes")
        # A stated size may be wrong. So at most one byte more is read, and then the length must be as stated.
        with archive.open(entry) as stream:
            content = stream.read(entry.file_size + 1)
        if len(content) != entry.file_size:
            raise _Refused(f"{name} is not as long as it says")
        files[name] = content
    return files


def unpack(path: Path, folder: Path) -> Bundle:
    """The bundle in a zip. Its files are written into `folder` (made if missing), as in the folder of a run.

    Raises UsageError as `read_bundle` does, before anything is written.
    """
    found = read_bundle(path)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.files.items():
        mail = _MAIL.fullmatch(name)
        place = folder / MAILS / mail[1] if mail else folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    return found


def mail_name(digest: str) -> str:
    """How a user's own message is named in a bundle: by its SHA-256, as the run's folder names it."""
    return f"mail-{digest}.eml"


def sha256(content: bytes) -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
