"""Where transcripts go: standard output, a file per input, or the published system's result directory."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from uniasr.errors import OutputError
from uniasr.formats import CueRules, Recognised, RecognitionWriter, render, write_text
from uniasr.formats.lines import one_line
from uniasr.formats.recognition import earlier_results
from uniasr.types import Transcript


class Sink(Protocol):
    """Takes the transcripts in order; a context manager."""

    def write(self, key: str, transcript: Transcript) -> None:
        """Put out one transcript. Raises OutputError."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Plain:
    """A sink that holds nothing open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


class StdoutSink(_Plain):
    """Writes to standard output, each result at once; `several` results carry their keys."""

    def __init__(self, fmt: str, rules: CueRules, *, several: bool) -> None:
        self._fmt, self._rules, self._several, self._first = fmt, rules, several, True

    def write(self, key: str, transcript: Transcript) -> None:
        """Print one result."""
        put(self._keyed(key, transcript) if self._several else render(transcript, self._fmt, self._rules))
        self._first = False

    def _keyed(self, key: str, transcript: Transcript) -> str:
        if self._fmt == "txt":
            return f"{key}\t{one_line(transcript.text)}\n"
        text = render(transcript, self._fmt, self._rules)
        if self._fmt == "json":
            return json.dumps({"key": key, **json.loads(text)}, ensure_ascii=False) + "\n"
        if self._fmt == "tsv":
            header, *rows = text.removesuffix("\n").split("\n")
            lines = [*([f"key\t{header}"] if self._first else []), *(f"{key}\t{row}" for row in rows)]
            return "".join(f"{line}\n" for line in lines)
        heading = f"==> {key}.{self._fmt} <==\n"
        return f"{heading}{text}" if self._first else f"\n{heading}{text}"


class DirectorySink(_Plain):
    """Writes `key.format` files, each whole or not at all."""

    def __init__(self, directory: Path, fmt: str, rules: CueRules) -> None:
        check_writable(directory)
        self._directory, self._fmt, self._rules = directory, fmt, rules

    def write(self, key: str, transcript: Transcript) -> None:
        """Write one file."""
        write_text(self._directory / f"{key}.{self._fmt}", render(transcript, self._fmt, self._rules))


class LayoutSink:
    """Writes the published system's result directory, a line per input in each of its files.

    Results of an earlier run stay until there is a first new one.
    """

    def __init__(self, directory: Path, tokens: Sequence[str], *, nbest: int) -> None:
        check_writable(directory)
        earlier_results(directory)  # what the writer would refuse is told before the work
        self._open = partial(RecognitionWriter, directory, nbest=nbest)
        self._writer: RecognitionWriter | None = None
        self._tokens = tokens
        self._start, self._audio_ms = time.perf_counter(), 0

    def write(self, key: str, transcript: Transcript) -> None:
        """Add a line for one input. The inputs are worked on together, so the real-time factor is the one so far."""
        self._audio_ms += transcript.duration_ms
        worked_ms = (time.perf_counter() - self._start) * 1000
        with uninterrupted():
            self._writer = self._writer or self._open()
            self._writer.write(key, Recognised.all_of(transcript, self._tokens), rtf=worked_ms / max(1, self._audio_ms))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()


def put(text: str) -> None:
    """Write to standard output at once; characters that its encoding lacks become question marks.

    Raises OutputError when it is closed or full; that of a pipe that nobody reads any more is left to the command.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed; nothing can be written")
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from error


def check_writable(directory: Path) -> None:
    """Make the directory and try to write in it, so that a wrong place is found before the work and not after."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise OutputError(f"results cannot be written to {directory}: {error.strerror or error}") from error


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while several files change that belong together."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are delivered to the main thread only
        return
    held: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if previous is None else previous)
        if held and callable(previous):
            previous(signal.SIGINT, None)
