"""Takes the path of anybody's file; opens it for reading, and neither waits for it nor is led away by it.

A folder may be a stranger's. A name in it may be a pipe into which nobody writes, a device without an end, or
a folder. Opened like any other file, it would make us wait for ever or fill the memory. Or it is a link to a
file of the user's, which would be told and passed on as if it had come with the folder.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BYTES_MAX = 256 * 1024 * 1024
"""Of a file of ours that is read at once, and of a line of one that is read line by line."""


def open_regular(path: Path) -> BinaryIO:
    """The file. Raises OSError where it is missing, or not a regular one: a link is none either."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as wrong:
        if wrong.errno == errno.ELOOP:
            raise OSError(errno.EPERM, "is a link", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EPERM, "is no regular file", str(path))
    return os.fdopen(handle, "rb")


def read_regular(path: Path, bytes_max: int = BYTES_MAX) -> bytes:
    """The whole of a regular file. Raises OSError where it is none, or longer than any file of ours."""
    with open_regular(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EPERM, f"over {bytes_max:,} bytes", str(path))
    return content


def read_lines(path: Path, bytes_max: int = BYTES_MAX) -> Iterator[bytes]:
    """The lines of a regular file, each with its line end; a history may be longer than memory, a line not.

    Raises OSError where it is no regular file, or has a line that is longer than any of ours.
    """
    with open_regular(path) as file:
        while line := file.readline(bytes_max + 1):
            if len(line) > bytes_max:
                raise OSError(errno.EPERM, f"has a line over {bytes_max:,} bytes", str(path))
            yield line
