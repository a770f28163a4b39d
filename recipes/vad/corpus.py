"""Speech and noise in three parts, and where clean speech is speech.

Held back (for the table of errors): the test speakers of `en_read`, the real sentences of `ja_real`, every fourth kind
of noise. For choices (validation): every eighth of the remaining speakers, every sixth of the remaining kinds. The rest
is trained on.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float32]
Labels = npt.NDArray[np.bool_]
Part = Literal["training", "validation", "held back"]
RATE, WINDOW, HOP = 16_000, 400, 160

LONG_NOISES: dict[Part, tuple[str, ...]] = {
    "held back": ("storm", "train", "waves"),
    "validation": ("fireplace", "birds"),
}
SPEECH_RANGE_DB = 33
"""Frames of an utterance that are quieter than its loud ones by more than this are no speech."""
LONGEST_GAP, SHORTEST_SPEECH = 15, 4
"""Frames of 10 ms: a shorter silence belongs to the speech around it, a shorter sound is none."""


@dataclass(frozen=True)
class Recording:
    """A recording inside a zip file, and who speaks or what sounds in it."""

    archive: Path
    member: str
    who: str

    @lru_cache(maxsize=20_000)  # noqa: B019 - recordings live as long as the process, and decoding is half of the work
    def samples(self) -> Samples:
        """Decoded samples at 16 kHz; not to be written to."""
        samples, _ = soundfile.read(io.BytesIO(_opened(self.archive).read(self.member)), dtype="float32")
        return samples


@lru_cache(maxsize=64)
def _opened(archive: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def read_english(data: Path, part: Part) -> list[Recording]:
    """Read English; the parts have different speakers."""
    folder, split = data / "en_read", "test" if part == "held back" else "train"
    rows = list(_table(folder / f"{split}.tsv"))
    chosen = set(sorted({row["speaker"] for row in rows})[::8]) if split == "train" else set()
    return [
        Recording(folder / f"{split}.zip", row["file"], row["speaker"])
        for row in rows
        if (row["speaker"] in chosen) is (part == "validation")
    ]


def japanese_words(data: Path) -> list[Recording]:
    """Real single words, the training part."""
    folder = data / "ja_real"
    rows = _table(folder / "words.tsv")
    return [Recording(folder / "words.zip", row["file"], row["speaker"]) for row in rows if row["split"] == "train"]


def japanese_sentences(data: Path) -> list[Recording]:
    """Real read sentences of four speakers; held back."""
    folder = data / "ja_real"
    return [
        Recording(folder / "sentences.zip", row["file"], row["speaker"]) for row in _table(folder / "sentences.tsv")
    ]


def synthetic(folder: Path) -> list[Recording]:
    """Japanese sentences that the synthesis script spoke."""
    return [
        Recording(path.with_suffix(".zip"), row["file"], row["voice"])
        for path in sorted(folder.glob("*.tsv"))
        for row in _table(path)
    ]


def sounds(folder: Path) -> list[Recording]:
    """Music and effects of packages (`../ja/training_sounds.py`)."""
    return [Recording(folder / "noise.zip", row["file"], row["source"]) for row in _table(folder / "noise.tsv")]


def noises(data: Path, part: Part) -> list[Recording]:
    """Environment sounds; no kind of noise is in two parts."""
    folder = data / "noise"
    rows = list(_table(folder / "noise.tsv"))
    short = sorted({row["type"] for row in rows if not row["key"].startswith("blanket")})
    rest = [kind for number, kind in enumerate(short) if number % 4]
    held = {*short[::4], *LONG_NOISES["held back"]}
    chosen = {*rest[::6], *LONG_NOISES["validation"]}
    wanted = {"held back": held, "validation": chosen, "training": {row["type"] for row in rows} - held - chosen}[part]
    return [Recording(folder / "noise.zip", row["file"], row["type"]) for row in rows if row["type"] in wanted]


def speech_frames(samples: Samples) -> Labels:
    """Which frames (25 ms every 10 ms) of a clean utterance are speech, by level alone.

    A frame counts from SPEECH_RANGE_DB below the utterance's 95th percentile, or from 8 dB above its 5th where the
    recording's own noise is louder than that (but not above 15 dB below the loud frames).
    """
    if len(samples) < WINDOW:
        return np.zeros(0, np.bool_)
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    level = 10 * np.log10(np.square(windows, dtype=np.float64).mean(axis=1) + 1e-10)
    loud, quiet = np.percentile(level, 95), np.percentile(level, 5)
    speech = level > max(loud - SPEECH_RANGE_DB, min(quiet + 8, loud - 15))
    return _without_runs(_without_runs(speech, False, LONGEST_GAP), True, SHORTEST_SPEECH)


def _without_runs(frames: Labels, value: bool, longest: int) -> Labels:
    """The runs of `value` that are shorter than `longest` turned over; a run of False at an end stays."""
    edges = np.flatnonzero(np.diff(frames.astype(np.int8))) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(frames)]])
    result = frames.copy()
    for start, end in zip(starts, ends, strict=True):
        inside = value or (start > 0 and end < len(frames))
        if len(frames) and frames[start] == value and end - start < longest and inside:
            result[start:end] = not value
    return result
