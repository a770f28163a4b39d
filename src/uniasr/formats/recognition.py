"""The result directory of the published system: `1best_recog/{text,score,time_stamp,rtf,token}`, a line per input.

The first four are the files that the model card shows, `token` is what FunASR 0.2.0 writes as well.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from uniasr.errors import OutputError
from uniasr.formats.lines import one_line
from uniasr.text.join import reference_text
from uniasr.types import Transcript

FILES = ("text", "score", "time_stamp", "rtf", "token")

_OURS = re.compile(r"[1-9][0-9]*best_recog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """One result for one input."""

    text: str
    tokens: tuple[str, ...]
    score: float
    times_ms: tuple[tuple[int, int], ...] = ()
    """Start and end of each token; empty where they are not known."""

    @classmethod
    def best_of(cls, transcript: Transcript) -> Recognised:
        """The best hypothesis of a transcript, its text as the published system writes it."""
        tokens = transcript.tokens
        words = tuple(token.text for token in tokens)
        return cls(
            text=reference_text(words),
            tokens=words,
            score=transcript.nbest[0].score if transcript.nbest else 0.0,
            times_ms=tuple((token.start_ms, token.end_ms) for token in tokens),
        )

    @classmethod
    def all_of(cls, transcript: Transcript, vocabulary: Sequence[str]) -> list[Recognised]:
        """Every hypothesis of a transcript, best first; only the best one has times. `vocabulary` has texts by id."""
        others = [
            (hypothesis, tuple(vocabulary[i] for i in hypothesis.token_ids)) for hypothesis in transcript.nbest[1:]
        ]
        return [
            cls.best_of(transcript),
            *(cls(text=reference_text(words), tokens=words, score=other.score) for other, words in others),
        ]


class RecognitionWriter:
    """Writes results as they come; every line is on disk when `write` returns. A context manager.

    `{n}best_recog` directories that hold nothing but these files are results of an earlier run and are replaced; one
    that holds anything else is refused. Everything else in `output_dir` is left alone.

    Raises OutputError when the directory cannot be written.
    """

    def __init__(self, output_dir: Path, *, nbest: int = 1) -> None:
        self._files: list[dict[str, TextIO]] = []
        self._output_dir = output_dir
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
            earlier = earlier_results(output_dir)
            with tempfile.TemporaryDirectory(prefix=".", dir=output_dir) as scratch:
                names = [f"{n}best_recog" for n in range(1, nbest + 1)]
                for name in names:  # all files open at once before earlier results go
                    (Path(scratch) / name).mkdir()
                    self._open(Path(scratch) / name)
                self.close()
                self._files = []
                _remove(earlier)
                for name in names:
                    (Path(scratch) / name).rename(output_dir / name)
            for name in names:
                self._open(output_dir / name)
        except OSError as error:
            self.close()
            raise _output_error(output_dir, error) from error

    def _open(self, directory: Path) -> None:
        self._files.append({})
        for name in FILES:
            self._files[-1][name] = (directory / name).open("a", encoding="utf-8", newline="\n")

    def write(self, key: str, results: Sequence[Recognised], *, rtf: float) -> None:
        """Add the results for one input, best first; those beyond `nbest` are left out.

        Args:
            key: name of the input, one word; OutputError for an empty key or one with blanks or path separators.
            results: the hypotheses.
            rtf: processing time divided by the length of the audio.
        """
        if not key or "/" in key or "\\" in key or any(char.isspace() or not char.isprintable() for char in key):
            raise OutputError(f"{key!r} cannot be the key of a result; use a word without blanks, '/' and '\\'")
        try:
            for files, result in zip(self._files, results, strict=False):
                for name, value in _values(result, rtf).items():
                    files[name].write(f"{key} {value}".rstrip(" ") + "\n")
                    files[name].flush()
        except (OSError, ValueError) as error:
            raise _output_error(self._output_dir, error) from error

    def close(self) -> None:
        """Close the files; `write` must not be called afterwards."""
        for files in self._files:
            for file in files.values():
                file.close()

    def __enter__(self) -> RecognitionWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _values(result: Recognised, rtf: float) -> dict[str, str]:
    times = ", ".join(f"[{start}, {end}]" for start, end in result.times_ms)
    return {
        "text": one_line(result.text),
        "score": str(result.score),
        "time_stamp": f"[{times}]",
        "rtf": f"{rtf:.6g}",
        "token": " ".join(filter(None, map(one_line, result.tokens))),
    }


def earlier_results(output_dir: Path) -> list[Path]:
    """The result directories of an earlier run, which a writer replaces.

    Raises OutputError for one that holds anything else, and where the directory cannot be read.
    """
    try:
        earlier = [path for path in output_dir.iterdir() if _OURS.fullmatch(path.name)]
        strange = next((path for path in earlier if not _only_results(path)), None)
    except OSError as error:
        raise _output_error(output_dir, error) from error
    if strange is not None:
        raise OutputError(
            f"{strange} holds more than recognition results ({', '.join(FILES)}); move it away or choose another place"
        )
    return earlier


def _only_results(path: Path) -> bool:
    if path.is_symlink() or not path.is_dir():
        return False
    return all(inner.name in FILES and inner.is_file() for inner in path.iterdir())


def _remove(directories: Sequence[Path]) -> None:
    for path in directories:
        for inner in path.iterdir():
            inner.unlink()
        path.rmdir()


def _output_error(output_dir: Path, error: Exception) -> OutputError:
    if isinstance(error, OutputError):
        return error
    return OutputError(f"results cannot be written to {output_dir}: {getattr(error, 'strerror', None) or error}")
