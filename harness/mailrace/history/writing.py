"""Takes a file or a folder to write; says with the next step where a name or the machine does not let us."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mailrace.model.errors import OutputError, UsageError

_STEPS = {
    errno.ENOSPC: "free some space, or name another folder (--out, or reports in [tool.mailrace])",
    errno.EDQUOT: "free some space, or name another folder (--out, or reports in [tool.mailrace])",
    errno.EROFS: "name a folder that can be written (--out, or reports in [tool.mailrace])",
}


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turns what the operating system says against writing `path` into an OutputError."""
    try:
        yield
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        step = _STEPS.get(wrong.errno or 0, "see that it can be written, or name another folder (--out)")
        raise OutputError(f"{path}: cannot be written ({reason}); {step}") from wrong


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    Raises OutputError where that cannot be done; then the old file stays as it was. A device or a pipe is
    refused too: the new file would take its place, and the whole machine could be without its /dev/null.
    """
    with writing(path):
        handle, temporary = _beside(path)
        with ExitStack() as made:
            made.callback(os.unlink, temporary)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
            # It now has the file's own name, so there is nothing to remove.
            made.pop_all()


def require_file(option: str, path: Path) -> None:
    """Raises UsageError where `write_whole` could not write the file that an option names."""
    try:
        handle, temporary = _beside(path)
        os.close(handle)
        os.unlink(temporary)
    except OSError as wrong:
        why = wrong.strerror or str(wrong)
        raise UsageError(
            f"{option} {path}: no file can be there ({why}); name one in a folder that can be written"
        ) from wrong


def make_folder(option: str, folder: Path) -> None:
    """Make the folder that an option names, if it is not there. Raises UsageError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise UsageError(
            f"{folder}: cannot be made ({wrong.strerror}); name another with {option}"
        ) from wrong


def _beside(path: Path) -> tuple[int, str]:
    """A new file beside that one, which may take its place. Raises OSError where that cannot be."""
    if path.is_dir() and not path.is_symlink():
        raise OSError(errno.EISDIR, "is a folder")
    if os.path.lexists(path) and not (path.is_symlink() or path.is_file()):
        raise OSError(errno.EPERM, "is a device or a pipe, and no file")
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
