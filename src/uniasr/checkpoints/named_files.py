"""configuration.json of a published directory: the names of its files, and what else stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uniasr.checkpoints.documents import inside, read_json

FILE = "configuration.json"


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """What configuration.json says; nothing where there is no such file."""

    directory: Path
    entries: Mapping[str, Any] | None
    """None where there is no file."""

    def entry(self, *names: str) -> Any:
        """A nested entry, or None when it or one of its parents is missing."""
        value: Any = self.entries
        for name in names:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    def path(self, *names: str, usual: str) -> Path:
        """The file that an entry names, or the one that is usual; raises ModelError for one outside the directory."""
        return inside(self.directory, self.entry(*names) or usual, self.where(*names))

    def where(self, *names: str) -> str:
        """The place of an entry, for messages."""
        return f"{self.directory / FILE}: {'.'.join(names)}"


def read_named_files(directory: Path) -> NamedFiles:
    """Read the file where it is; raises ModelError for one that is no JSON mapping."""
    path = directory / FILE
    return NamedFiles(directory, read_json(path) if path.is_file() else None)
