"""What tells whether a model on disk is still the one that was read."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[tuple[str, int, int], ...]


def stamp_of(path: Path) -> Stamp:
    """Name, size and time of change (ns) of a file, or of every file in a directory; nothing where there is neither."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = [(file.name, file.stat()) for file in files if file.exists()]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)
