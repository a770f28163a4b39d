"""Directories of kana-to-kanji converters: `model.yaml` with the family `kana_kanji`, `tables.npz`, `beginnings.npz`.

The arrays of the file are those of `text.kana_kanji.Tables`, made smaller: hashes of readings in two parts, counts and
lengths in place of bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from uniasr.checkpoints.arrays import Layout, read_arrays
from uniasr.checkpoints.own_layout import (
    DESCRIPTION,
    description,
    family_of,
    need_directory,
    read_description,
    staged_model,
)
from uniasr.errors import ModelError
from uniasr.text.kana_kanji.hashing import READING_BITS, HashSet, HashTable
from uniasr.text.kana_kanji.tables import FIRST_WORD, KANA, Tables

FAMILY = "kana_kanji"
TABLES_FILE, BEGINNINGS_FILE = "tables.npz", "beginnings.npz"
LONGEST_READING = 40

_LAYOUT: Layout = {
    "reading_high": (np.uint32, 1),
    "reading_low": (np.uint16, 1),
    "reading_words": (np.uint8, 1),
    "word_class": (np.uint16, 1),
    "word_cost": (np.uint8, 1),
    "word_backoff": (np.uint8, 1),
    "class_cost": (np.uint8, 2),
    "kana_cost": (np.uint8, 2),
    "ngram_shifts": (np.uint16, 1),
    "ngram_slots": (np.uint32, 1),
    "ngram_backoff": (np.uint8, 1),
    "surfaces": (np.uint8, 1),
    "surface_lengths": (np.uint8, 1),
}
_BEGINNINGS: Layout = {"bits": (np.uint8, 1)}
"""The set of what readings begin with; they are stored as hashes, which do not tell."""
_LOW = np.uint64(16)


@dataclass(frozen=True, slots=True)
class KanaKanjiFiles:
    """What a directory holds."""

    directory: Path
    tables: Tables
    card: Mapping[str, Any] = field(default_factory=dict)


def is_kana_kanji(directory: Path) -> bool:
    """Whether the directory says that it holds a converter; it may still be damaged."""
    return family_of(directory) == FAMILY


def read_kana_kanji(directory: Path) -> KanaKanjiFiles:
    """Read a converter.

    Raises ModelNotFoundError when there is no such directory, ModelError naming the file and what is wrong with it.
    """
    need_directory(directory)
    path = directory / DESCRIPTION
    config, card = read_description(directory, FAMILY, "a converter")
    longest = config.get("longest_reading") if isinstance(config, Mapping) and len(config) == 1 else None
    if not isinstance(longest, int) or isinstance(longest, bool) or not 1 <= longest <= LONGEST_READING:
        raise ModelError(
            f"{path}: config is {config!r:.60}; it must be longest_reading, a whole number of 1 to {LONGEST_READING}"
        )
    path = directory / TABLES_FILE
    beginnings = HashSet(read_arrays(directory / BEGINNINGS_FILE, _BEGINNINGS)["bits"])
    return KanaKanjiFiles(directory, _tables(read_arrays(path, _LAYOUT), beginnings, longest, path), card)


def write_kana_kanji(
    directory: Path, tables: Tables, *, files: Iterable[Path] = (), card: Mapping[str, Any] | None = None
) -> Path:
    """Write a directory, whole or not at all, and return it.

    Args:
        directory: where to; a model directory of ours there is replaced, anything else that is not empty is refused.
        tables: the arrays.
        files: further files to copy under their own names: a model card, a licence.
        card: plain values for the entry `card` of model.yaml.

    Raises OutputError when it cannot be written, ModelError when the arrays make no converter.
    """
    entries = description(FAMILY, {"longest_reading": tables.longest}, card)
    with staged_model(directory, entries, files, read_kana_kanji) as staging:
        np.savez_compressed(staging / TABLES_FILE, allow_pickle=False, **_stored(tables))
        np.savez_compressed(staging / BEGINNINGS_FILE, allow_pickle=False, bits=tables.beginnings.bits)
    return directory


def _stored(tables: Tables) -> dict[str, npt.NDArray[Any]]:
    return {
        "reading_high": (tables.readings >> _LOW).astype(np.uint32),
        "reading_low": (tables.readings & np.uint64(0xFFFF)).astype(np.uint16),
        "reading_words": np.diff(tables.first_word).astype(np.uint8),
        "word_class": tables.word_class,
        "word_cost": tables.word_cost,
        "word_backoff": tables.word_backoff,
        "class_cost": tables.class_cost,
        "kana_cost": tables.kana_cost,
        "ngram_shifts": tables.ngrams.shifts,
        "ngram_slots": tables.ngrams.slots,
        "ngram_backoff": tables.backoff,
        "surfaces": tables.surfaces,
        "surface_lengths": np.diff(tables.surface_ends, prepend=np.uint32(0)).astype(np.uint8),
    }


def _tables(arrays: Mapping[str, npt.NDArray[Any]], beginnings: HashSet, longest: int, path: Path) -> Tables:
    """The tables; raises ModelError where the arrays do not fit each other."""
    readings = (arrays["reading_high"].astype(np.uint64) << _LOW) | arrays["reading_low"]
    bounds = np.cumsum(np.concatenate([[FIRST_WORD], arrays["reading_words"]]), dtype=np.uint32)
    ends = np.cumsum(arrays["surface_lengths"], dtype=np.uint32)
    words, classes = len(arrays["word_class"]), len(arrays["class_cost"])
    for fits, what in (
        (len(readings) + 1 == len(bounds), "readings"),
        (bool((readings[1:] > readings[:-1]).all()), f"readings, {READING_BITS} bits each in ascending order"),
        (int(bounds[-1]) == words == len(arrays["word_cost"]) == len(arrays["word_backoff"]) == len(ends), "words"),
        (int(arrays["word_class"].max()) < classes == arrays["class_cost"].shape[1], "classes"),
        (arrays["kana_cost"].shape == (KANA + 1, KANA + 1), "kana"),
        (len(arrays["ngram_backoff"]) == len(arrays["ngram_slots"]), "n-grams"),
        (int(ends[-1]) == len(arrays["surfaces"]), "written forms"),
    ):
        if not fits:
            raise ModelError(f"{path}: the arrays of the {what} do not fit each other; fetch the model again")
    try:
        arrays["surfaces"].tobytes().decode("utf-8")
    except ValueError as error:
        raise ModelError(f"{path}: the written forms are not in UTF-8 ({error}); fetch the model again") from error
    return Tables(
        readings=readings,
        beginnings=beginnings,
        first_word=bounds,
        word_class=arrays["word_class"],
        word_cost=arrays["word_cost"],
        word_backoff=arrays["word_backoff"],
        class_cost=arrays["class_cost"],
        kana_cost=arrays["kana_cost"],
        ngrams=HashTable(arrays["ngram_shifts"], arrays["ngram_slots"]),
        backoff=arrays["ngram_backoff"],
        surfaces=arrays["surfaces"],
        surface_ends=ends,
        longest=longest,
    )
