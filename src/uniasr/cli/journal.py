"""What an interrupted run has recognised, so that `--resume` need not do it again.

One file beside the results per unfinished input, a line per stretch of speech. It is written as the work goes on and
removed when the result is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from uniasr.errors import OutputError
from uniasr.types import Transcript

_LONGEST_KEY = 236
"""Bytes of a key that leave room in a file's name."""


def fingerprint(*facts: Any) -> str:
    """A short text that differs where any of the facts does."""
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def journal_name(key: str) -> str:
    """The name of an input's account; a name has at most 255 bytes, so that of a long key is a number."""
    return f".{key if len(os.fsencode(key)) <= _LONGEST_KEY else fingerprint(key)}.journal"


class Journal:
    """The account of one input; the pipeline's `Memory`."""

    def __init__(self, path: Path, about: str, *, resume: bool) -> None:
        """Open for an input and a call, told apart by `about`; without `resume` what is there is forgotten."""
        self._path = path
        self._known = _read(path, about) if resume else {}
        self._kept = bool(self._known)
        fresh = path.with_name(path.name + ".new")
        lines = [{"about": about}, *(_record(*place, transcript) for place, transcript in self._known.items())]
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.writelines(map(_line, lines))
            fresh.replace(path)  # what was known stays until all of it is written again
        except OSError as error:
            raise self._failed(error) from error

    def recall(self, start_ms: int, end_ms: int) -> Transcript | None:
        """What was recognised in this stretch, if it was done."""
        return self._known.pop((start_ms, end_ms), None)

    def keep(self, start_ms: int, end_ms: int, transcript: Transcript) -> None:
        """Remember what was recognised in a stretch. Raises OutputError.

        The file is open for that long only: a thousand short inputs may wait for their turn together.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(_record(start_ms, end_ms, transcript)))
        except OSError as error:
            raise self._failed(error) from error
        self._kept = True

    def close(self, *, done: bool) -> None:
        """Stop; the account goes once the result is there, and where nothing was recognised before it failed."""
        if done or not self._kept:
            self._path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error.strerror or error}")


def _record(start_ms: int, end_ms: int, transcript: Transcript) -> dict[str, Any]:
    return {"start_ms": start_ms, "end_ms": end_ms, **transcript.to_dict()}


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _read(path: Path, about: str) -> dict[tuple[int, int], Transcript]:
    """The whole lines of an account of the same input and call; a line that was cut is not there."""
    known: dict[tuple[int, int], Transcript] = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        if not lines or json.loads(lines[0]) != {"about": about}:
            return {}
        for line in lines[1:]:
            record = json.loads(line)
            known[record["start_ms"], record["end_ms"]] = Transcript.from_dict(record)
    except (OSError, ValueError, KeyError, TypeError):
        return known
    return known
