"""Features on disk: the rows of many utterances in one memory-mapped array, their texts in an index beside it.

A store is written utterance by utterance and read without loading it; what made it is recorded in `store.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from uniasr.errors import ModelError, OutputError, first_line
from uniasr.types import F32

ROWS, INDEX, ABOUT = "rows.f32", "index.tsv", "store.json"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One entry of a store: where its feature rows lie and what is said in it."""

    key: str
    start: int
    num_rows: int
    text: str


class StoreWriter:
    """Writes a store; it is readable only after a clean exit of the `with` block."""

    def __init__(self, directory: Path, feature_size: int, about: dict[str, Any]) -> None:
        self.directory, self.feature_size, self.about = directory, feature_size, about
        self.count = 0

    def __enter__(self) -> StoreWriter:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / ABOUT).unlink(missing_ok=True)
            self._rows = (self.directory / ROWS).open("wb")
            self._index = (self.directory / INDEX).open("w", encoding="utf-8")
        except OSError as error:
            raise self._failed(error) from error
        return self

    def add(self, key: str, rows: F32, text: str) -> None:
        """Append one utterance: rows [T, F] before CMVN."""
        if rows.ndim != 2 or rows.shape[1] != self.feature_size:
            raise OutputError(f"{key} has rows of shape {rows.shape}; the store holds {self.feature_size} values a row")
        try:
            self._rows.write(np.ascontiguousarray(rows, dtype=np.float32).tobytes())
            self._index.write(f"{key}\t{self.count}\t{len(rows)}\t{text}\n")
        except OSError as error:
            raise self._failed(error) from error
        self.count += len(rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._rows.close()
            self._index.close()
            if kind is None:
                about = {**self.about, "feature_size": self.feature_size, "num_rows": self.count}
                (self.directory / ABOUT).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        except OSError as problem:
            if kind is None:  # else the error at hand says more
                raise self._failed(problem) from problem

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write features to {self.directory}: {error.strerror or error}")


class FeatureStore:
    """Read access to a finished store."""

    def __init__(self, directory: Path) -> None:
        try:
            self.about: dict[str, Any] = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
            shape = (int(self.about["num_rows"]), int(self.about["feature_size"]))
            self._rows = np.memmap(directory / ROWS, dtype=np.float32, mode="r", shape=shape)
            self.utterances = tuple(_read_index(directory / INDEX))
        except FileNotFoundError as error:
            raise ModelError(f"{directory} holds no finished feature store; run the preparation again") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{directory} holds a damaged feature store ({first_line(error)}); run the preparation again"
            ) from error

    def rows(self, utterance: Utterance) -> F32:
        """Feature rows [T, F] of one utterance, before CMVN."""
        return np.asarray(self._rows[utterance.start : utterance.start + utterance.num_rows])


def _read_index(path: Path) -> Iterator[Utterance]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            key, start, count, text = line.rstrip("\n").split("\t")
            yield Utterance(key, int(start), int(count), text)
