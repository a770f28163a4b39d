"""What tells whether a model on disk is still the one that was read."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

Stamp = tuple[tuple[str, int, int], ...]
MOST_FILES = 1000
"""More than any model has; what lies behind them in a foreign folder does not count."""


def stamp_of(path: Path) -> Stamp:
    """Name, size and time of change (ns) of a file, or of all files below a directory; nothing where there is neither.

    Links to files count as what they point to, for hub caches are made of them; links to directories are not followed.
    """
    files = sorted(islice(path.rglob("*"), MOST_FILES)) if path.is_dir() else [path]
    found = [(file.relative_to(path).as_posix(), file.stat()) for file in files if file.exists()]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)
