"""What a run tells: one json line per record, TensorBoard where it is installed, a progress bar on a terminal."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from uniasr.errors import OutputError
from uniasr.training.batches import Batch
from uniasr.training.snapshots import replace_file

LOG = "log.jsonl"


class RunLog:
    """Records of a run; a context manager. A silent one says nothing (all processes but the first)."""

    def __init__(self, directory: Path, *, step: int, steps: int, silent: bool = False) -> None:
        """Go on after `step`: what an interrupted run told about later steps is forgotten."""
        self._path, self._step, self._silent = directory / LOG, step, silent
        self._board: Any = None
        self._bar: Any = None
        if silent:
            return
        self._forget()
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(directory / "tensorboard", purge_step=step + 1)
        if sys.stderr.isatty():
            self._bar = _progress_bar(step, steps or None)

    def _forget(self) -> None:
        if not self._path.exists():
            return
        lines = [line for line in self._path.read_bytes().splitlines(keepends=True) if _step_of(line) <= self._step]
        replace_file(self._path, lambda file: file.writelines(lines))

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()
        if self._bar is not None:
            self._bar.stop()

    def advance(self, step: int, loss: float) -> None:
        """Show that a step is done."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=step, loss=f"{loss:.3f}")

    def write(self, record: Mapping[str, Any]) -> None:
        """Keep a record; it has a `step`."""
        if self._silent:
            return
        # JSON knows no NaN.
        plain = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in record.items()
        }
        try:
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(plain, ensure_ascii=False) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from error
        if self._board is not None:
            for name, value in record.items():
                if isinstance(value, int | float) and name != "step":
                    self._board.add_scalar(name, value, record["step"])


def _step_of(line: bytes) -> float:
    """Step of a log line; infinite for one that a kill cut off."""
    try:
        return int(json.loads(line)["step"]) if line.endswith(b"\n") else math.inf
    except (ValueError, KeyError, TypeError):
        return math.inf


def _progress_bar(step: int, steps: int | None) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    bar.add_task("training", completed=step, total=steps, loss="-")
    bar.start()
    return bar


class Meter:
    """Rows per second and the share of time spent waiting for data, since they were last read."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._started, self._waited, self._rows = time.monotonic(), 0.0, 0

    def timed(self, steps: Iterator[list[Batch]]) -> Iterator[list[Batch]]:
        """The same steps; counts the time that making them takes."""
        while True:
            before = time.monotonic()
            batches = next(steps, None)
            self._waited += time.monotonic() - before
            if batches is None:
                return
            yield batches

    def count(self, batches: Sequence[Batch]) -> None:
        """Count what a step has read."""
        self._rows += sum(int(batch.row_counts.sum()) for batch in batches)

    def read(self) -> dict[str, float]:
        """What the log shows; starts anew."""
        passed = max(time.monotonic() - self._started, 1e-9)
        numbers = {"rows_per_s": round(self._rows / passed, 1), "data_share": round(self._waited / passed, 3)}
        self._start()
        return numbers
