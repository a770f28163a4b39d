"""What the converter knows, as arrays: words by their readings, classes of words, and costs of pairs and triples.

A cost is a negative natural logarithm of a probability, stored as a whole number of `STEP`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniasr.text.kana_kanji.hashing import HashSet, HashTable
from uniasr.types import I64

STEP = 1 / 12
START, END, UNKNOWN = 0, 1, 2
"""Ids of the words before the first, behind the last, and of words that are in no dictionary."""
FIRST_WORD = 3
"""Id of the first word with a reading."""
FIRST_KANA, LAST_KANA = ord("ァ"), ord("ー")
KANA = LAST_KANA + 1 - FIRST_KANA
"""Number of kana; that of anything else."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The arrays of a model directory. Words with the same reading have ids in a row."""

    readings: npt.NDArray[np.uint64]
    """[R] hashes of the readings, ascending."""
    beginnings: HashSet
    """Hashes of what readings begin with: LONGEST_UNKNOWN kana and more, less than a whole reading."""
    first_word: npt.NDArray[np.uint32]
    """[R + 1] id of the first word of each reading."""
    word_class: npt.NDArray[np.uint16]
    """[W]"""
    word_cost: npt.NDArray[np.uint8]
    """[W] of the word, given its class."""
    word_backoff: npt.NDArray[np.uint8]
    """[W] of leaving the pairs that begin with this word for classes."""
    class_cost: npt.NDArray[np.uint8]
    """[C, C] of a class after another."""
    kana_cost: npt.NDArray[np.uint8]
    """[K + 1, K + 1] of a kana after another in an unknown word; the last row begins one, the last column ends it."""
    ngrams: HashTable
    """Costs of pairs and triples of words."""
    backoff: npt.NDArray[np.uint8]
    """[slots of ngrams] of leaving the triples that begin with this pair."""
    surfaces: npt.NDArray[np.uint8]
    """UTF-8 of all written forms in a row; an empty one is the reading itself."""
    surface_ends: npt.NDArray[np.uint32]
    """[W] end of each in `surfaces`."""
    longest: int
    """Kana of the longest reading."""

    def surface(self, word: int) -> str:
        """The written form of a word; empty where it is the reading."""
        start = int(self.surface_ends[word - 1]) if word else 0
        return self.surfaces[start : int(self.surface_ends[word])].tobytes().decode("utf-8", "replace")


def kana_codes(kana: str) -> I64:
    """[n] places of katakana in `kana_cost`; K for any other character."""
    codes = np.frombuffer(kana.encode("utf-32-le"), np.uint32).astype(np.int64)
    return np.where((codes >= FIRST_KANA) & (codes <= LAST_KANA), codes - FIRST_KANA, KANA)
