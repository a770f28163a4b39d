"""Reading a file of a model that somebody else made: a regular file, and never more of it than a limit."""

from __future__ import annotations

import stat
from pathlib import Path

from uniasr.errors import ModelError


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    A size that the system reports is no limit: that of a link to a device is 0. Raises ModelError for a larger file
    and for what is no regular file, OSError when it cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ModelError(f"{path} cannot be read: it is no regular file; fetch the model again")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ModelError(f"{path} is too large: such a file of a model has at most {most} bytes; fetch the model again")
    return content
