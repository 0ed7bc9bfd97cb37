"""Takes the path of anybody's file; opens it for reading without ever having to wait for it.

A folder may be a stranger's. A name in it may be a pipe into which nobody writes, a device without an end, or
a folder. Opened like any other file, it would make us wait for ever or fill the memory.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """The file. Raises OSError where it is missing or not a regular one."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EPERM, "is no regular file", str(path))
    return os.fdopen(handle, "rb")


def read_regular(path: Path, bytes_max: int = 256 * 1024 * 1024) -> bytes:
    """The whole of a regular file. Raises OSError where it is none, or longer than any file of ours."""
    with open_regular(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise OSError(errno.EPERM, f"over {bytes_max:,} bytes", str(path))
    return content
