"""Everything that is wrong with a data set, before the first step of training.

Every recording is decoded once: a header may promise samples that are not there. What was found is remembered by path,
time and size of the file, so that a resumed run starts at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from uniasr.audio.load import blocks
from uniasr.audio.sources import is_url
from uniasr.errors import AudioError, DataError, MissingExtraError, OutputError
from uniasr.formats.files import write_text
from uniasr.training.data.manifest import Entry, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Lengths of recordings that training takes."""

    min_s: float = 0.1
    max_s: float = 60.0


@dataclass(slots=True)
class Report:
    """What a check found: faults to correct, and remarks that cost nothing."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def settle(self, *, skip_bad: bool) -> None:
        """Raise DataError with every problem, or note how many utterances are left out because of them."""
        if not self.problems:
            return
        if not skip_bad:
            count = len(self.problems)
            raise DataError(
                f"{count} problem{'s' if count > 1 else ''} in the data; nothing has been started. "
                "Correct them, or leave out the utterances with --skip-bad",
                [str(problem) for problem in self.problems],
            )
        self.notes.append(f"{len({problem.key or problem.where for problem in self.problems})} utterances left out")


class Measurements:
    """Lengths of recordings by path, remembered in a file."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, list[Any]] = {}
        if path is not None and path.is_file():
            try:
                self._known = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:  # cut by a full disk: measure again
                self._known = {}

    def seconds(self, audio: str) -> float:
        """Length of a recording; raises AudioError when it cannot be decoded to its end or is digital silence."""
        stamp = _stamp(audio)
        known = self._known.get(audio)
        if known is None or known[0] != stamp:
            known = [stamp, _decode(audio)]
            if stamp:
                self._known[audio] = known
        return float(known[1])

    def save(self) -> None:
        """Remember for the next run."""
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"{self._path.parent} cannot be made: {error.strerror}") from error
            write_text(self._path, json.dumps(self._known))


def _stamp(audio: str) -> str:
    if is_url(audio):
        return ""
    try:
        status = os.stat(audio)  # noqa: PTH116 - a path object per recording costs more than the call
    except (OSError, ValueError):
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def _decode(audio: str) -> float:
    seconds, peak = 0.0, 0.0
    for block in blocks(audio):
        seconds += len(block.samples) / block.sample_rate_hz
        peak = max(peak, float(np.abs(block.samples).max(initial=0.0)))
    if seconds and not peak:
        raise AudioError(f"{audio} is digital silence; record or copy it again")
    return seconds


def measured(
    entries: Iterable[Entry],
    limits: Limits,
    report: Report,
    measurements: Measurements | None = None,
    tell: Callable[[], None] = lambda: None,
) -> list[tuple[Entry, float]]:
    """The entries with usable audio and its length in seconds; the others become problems."""
    measurements = measurements or Measurements()
    usable = []
    for entry in entries:
        try:
            seconds = measurements.seconds(entry.audio)
        except (AudioError, MissingExtraError) as error:
            report.problems.append(Problem(entry.where, str(error), entry.key))
        else:
            if complaint := _complaint(seconds, limits):
                report.problems.append(Problem(entry.where, f"{entry.audio} {complaint}", entry.key))
            else:
                usable.append((entry, seconds))
        tell()
    measurements.save()
    return usable


def _complaint(seconds: float, limits: Limits) -> str:
    if seconds == 0:
        return "holds no samples"
    if seconds < limits.min_s:
        return f"lasts {seconds:.3f} s; at least {limits.min_s:g} s are needed"
    if seconds > limits.max_s:
        return f"lasts {seconds:.1f} s; at most {limits.max_s:g} s are taken (--max-seconds)"
    return ""
