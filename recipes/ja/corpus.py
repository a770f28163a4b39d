"""Audio and kana of the corpora that the model is trained on: synthetic shards and real words."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from uniasr.text.kana import katakana_only

Samples = npt.NDArray[np.float32]
RATE = 16_000


@dataclass(frozen=True)
class Recording:
    """A recording inside a zip file and what is said in it: as katakana, and as it is written."""

    key: str
    archive: Path
    member: str
    kana: str
    split: str = "train"
    seconds: float = 0.0
    text: str = ""
    """As it is written."""

    def samples(self) -> Samples:
        """Decoded samples at 16 kHz."""
        samples, _ = soundfile.read(io.BytesIO(_opened(self.archive).read(self.member)), dtype="float32")
        return samples


@lru_cache(maxsize=64)
def _opened(archive: Path) -> zipfile.ZipFile:
    """An archive, opened once per process: reading its directory takes longer than decoding a word."""
    return zipfile.ZipFile(archive)


def table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file with a header line and no quoting."""
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def synthetic(folder: Path) -> list[Recording]:
    """Recordings of all shards in a folder that the synthesis script wrote."""
    return [
        Recording(
            f"{folder.name}-{row['key']}",
            path.with_suffix(".zip"),
            row["file"],
            katakana_only(row["kana"]),
            "train",
            float(row["seconds"]),
            row["text"],
        )
        for path in sorted(folder.glob("*.tsv"))
        for row in table(path)
        if path.with_suffix(".zip").exists()
    ]


def real_words(folder: Path) -> list[Recording]:
    """The real single words, both splits."""
    return [
        Recording(
            row["key"],
            folder / "words.zip",
            row["file"],
            katakana_only(row["pron"]),
            row["split"],
            float(row["seconds"]),
            row["text"],
        )
        for row in table(folder / "words.tsv")
    ]


def real_sentences(folder: Path) -> list[Recording]:
    """The few real sentences: a smoke test."""
    return [
        Recording(
            row["key"],
            folder / "sentences.zip",
            row["file"],
            katakana_only(row["kana"]),
            "dev",
            float(row["seconds"]),
            row["text"],
        )
        for row in table(folder / "sentences.tsv")
    ]


def english(folder: Path) -> list[Recording]:
    """Real read English, the part for training: voices to talk in the background, so without kana."""
    return [
        Recording(row["key"], folder / "train.zip", row["file"], "", seconds=float(row["seconds"]), text=row["text"])
        for row in table(folder / "train.tsv")
    ]


def noises(folder: Path) -> list[Samples]:
    """All recordings of the one archive in a folder of noise, decoded."""
    (path,) = folder.glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        return [
            soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")[0]
            for row in table(path.with_suffix(".tsv"))
        ]
