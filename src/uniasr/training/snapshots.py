"""Files of a run that survive kills and full disks: written beside, brought to the disk, then renamed.

last.pt              everything that resuming needs
previous.pt          the one before it, for the case that last.pt is damaged
weights-0001000.pt   weights alone: the newest ones and those with the best evaluations
best.json            which ones those are
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import torch
from torch import Tensor

from uniasr.errors import ModelError, OutputError

LAST, PREVIOUS, BEST = "last.pt", "previous.pt", "best.json"
DAMAGE = (OSError, EOFError, RuntimeError, ValueError, KeyError, UnpicklingError, zipfile.BadZipFile)
"""What reading a torn or altered file ends with."""


class Snapshots:
    """The files of a run in its directory."""

    def __init__(self, directory: Path, keep: int, keep_best: int) -> None:
        self.directory, self._keep, self._keep_best = directory, keep, keep_best
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {directory}: {error.strerror}") from error

    def write(
        self, weights: Mapping[str, Tensor], state: Mapping[str, Any], ranking: Sequence[tuple[float, int]]
    ) -> None:
        """Write the weights and the state of `state["step"]`.

        `ranking` holds pairs of metric and step, the best first. Raises OutputError if that fails; the files of before
        are still there then, whole.
        """
        last = self.directory / LAST
        replace_file(weights_path(self.directory, state["step"]), lambda file: torch.save(weights, file))
        replace_file(last, lambda file: torch.save({**state, "network": weights}, file), self.directory / PREVIOUS)
        self.tidy(ranking)

    def tidy(self, ranking: Sequence[tuple[float, int]]) -> None:
        """Say which weights are the best, and remove those that are neither among them nor among the newest."""
        best = {step: metric for metric, step in ranking[: self._keep_best]}
        entries = [{"step": step, "metric": metric} for step, metric in best.items()]
        replace_file(self.directory / BEST, lambda file: file.write(json.dumps(entries, indent=1).encode()))
        for path in newest_weights(self.directory)[: -self._keep]:
            if _step_of(path) not in best:
                path.unlink()

    def read(self) -> dict[str, Any] | None:
        """The newest state that is whole; None if nothing was written yet. Raises ModelError if all are damaged."""
        paths = [path for path in (self.directory / LAST, self.directory / PREVIOUS) if path.exists()]
        for path in paths:
            try:
                return read_snapshot(path)
            except ModelError as error:
                warnings.warn(f"{error}; the one before it is used", stacklevel=2)
        if paths:
            raise ModelError(f"no snapshot in {self.directory} can be read; remove {LAST} and {PREVIOUS} to start anew")
        return None


def weights_path(directory: Path, step: int) -> Path:
    """Where the weights of a step lie."""
    return directory / f"weights-{step:07d}.pt"


def _step_of(path: Path) -> int:
    return int(path.stem.removeprefix("weights-"))


def newest_weights(directory: Path, count: int | None = None) -> list[Path]:
    """The last `count` snapshots of the weights in a run's directory, or all, the oldest first."""
    return sorted(directory.glob("weights-*.pt"), key=_step_of)[-count if count else None :]


def best_weights(directory: Path, count: int) -> list[Path]:
    """The `count` snapshots with the best evaluations, the best first."""
    path = directory / BEST
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [weights_path(directory, entry["step"]) for entry in entries[:count]]


def read_snapshot(path: Path) -> dict[str, Any]:
    """What a snapshot holds. Raises ModelError naming the file if a byte of it changed."""
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load does not look at the checksums
            broken = archive.testzip()
        if broken is None:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return state
    except DAMAGE as error:
        raise ModelError(f"{path} is damaged ({error or type(error).__name__})") from error
    raise ModelError(f"{path} is damaged (checksum of {broken})")


def average(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Mean of snapshots of the weights of one network."""
    total: dict[str, Tensor] = {}
    for path in paths:
        for name, value in read_snapshot(path).items():
            total[name] = total[name] + value.double() if name in total else value.double()
    return {name: (value / len(paths)).float() for name, value in total.items()}


def replace_file(path: Path, write: Callable[[BinaryIO], Any], previous: Path | None = None) -> None:
    """Put a file in the place of another; `previous` is where the old one goes. Raises OutputError.

    At every moment one of the two is whole: a kill between the renames leaves the old file under its second name.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            path.replace(previous)
        temporary.replace(path)
        _sync_directory(path.parent)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot write {path}: {_reason(error)}; what was written before is untouched") from error


def _reason(error: BaseException) -> str:
    """What the system said: PyTorch's writer hides it behind an error of its own."""
    hidden = error if isinstance(error, OSError) else error.__context__
    return hidden.strerror or str(hidden) if isinstance(hidden, OSError) else str(error)


def _sync_directory(directory: Path) -> None:
    """Bring the renames to the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
