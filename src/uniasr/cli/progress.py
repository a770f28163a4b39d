"""A progress bar on standard error, for people who wait: on a terminal, with several inputs or a long one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from uniasr.audio.inputs import NamedInput
from uniasr.audio.load import Source

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LONG_BYTES = 2_000_000
"""A single file of this size (a minute of wav, two of mp3) is worth a bar."""


class Bar:
    """The bar, or nothing if there is none to draw."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress, self._task = progress, task

    def done(self) -> None:
        """One more input is done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the bar away while something else is printed."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def watched(inputs: Sequence[NamedInput], work: str = "transcribing") -> Iterator[tuple[list[Source], Bar]]:
    """The sources of inputs, and a bar that shows how far they have been worked through; `work` says what is done."""
    sources: list[Source] = [item.source for item in inputs]
    size = _long_file(sources[0]) if len(sources) == 1 else 0
    with ExitStack() as stack:
        progress = _progress() if len(sources) > 1 or size else None
        if progress is None:
            yield sources, Bar()
            return
        stack.enter_context(progress)
        task = progress.add_task(work, total=size or len(sources))
        if size:
            raw = _WatchedFile(str(sources[0]), lambda place: progress.update(task, completed=place))
            yield [stack.enter_context(io.BufferedReader(raw))], Bar(progress)
        else:
            yield sources, Bar(progress, task)


@contextmanager
def counted(total: int, work: str) -> Iterator[Bar]:
    """A bar for so many pieces of work."""
    progress = _progress()
    if progress is None:
        yield Bar()
        return
    with progress:
        yield Bar(progress, progress.add_task(work, total=total))


class _WatchedFile(io.FileIO):
    """A file that tells how far it has been read."""

    def __init__(self, path: str, tell: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._tell = tell

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        count = super().readinto(buffer)
        self._tell(self.tell())
        return count


def _long_file(source: Source) -> int:
    """Size of a long local file, else 0."""
    try:
        size = Path(source).stat().st_size if isinstance(source, str) else 0
    except (OSError, ValueError):
        return 0  # whoever reads it says what is wrong
    return size if size >= LONG_BYTES and Path(str(source)).is_file() else 0


def _progress() -> Progress | None:
    """A rich progress display, or None where nobody would see it."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.file.isatty() or console.is_dumb_terminal:
        return None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
