"""Hotwords as words of a lattice: whatever the recogniser wrote as their sound becomes their written form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from uniasr.text.hotwords import Hotword, Hotwords, is_kana, read_hotwords
from uniasr.text.readings import reading_of
from uniasr.text.spelling import pronunciations

COST, GAIN = 12.0, 6.0
"""A hotword costs COST - weight * GAIN more than an unknown word whose spelling costs nothing (natural logarithm): at
weight 1 a common word of the same sound wins where it makes more sense."""


@dataclass(frozen=True, slots=True)
class ListedWord:
    """A word of the caller's list."""

    reading: str
    """Pronunciation in katakana."""
    surface: str
    cost: float
    """Beyond that of an unknown word; its spelling costs nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class ListedWords:
    """Words of the caller, found by their readings."""

    words: tuple[ListedWord, ...]
    by_reading: Mapping[str, tuple[int, ...]]
    lengths: tuple[int, ...]
    """Of the readings, ascending."""

    def occurrences(self, kana: str) -> Iterator[tuple[int, int, int]]:
        """Start, end and index of every word that the kana may hold."""
        for length in self.lengths:
            for start in range(len(kana) - length + 1):
                for i in self.by_reading.get(kana[start : start + length], ()):
                    yield start, start + length, i


NO_WORDS = ListedWords((), {}, ())


def word_list(hotwords: Hotwords | ListedWords | None) -> ListedWords:
    """The words to add to a lattice; those without a reading, and with a weight of 0 or less, add none.

    Raises OptionError as `read_hotwords` does.
    """
    if isinstance(hotwords, ListedWords):
        return hotwords
    return NO_WORDS if hotwords is None else _built(read_hotwords(hotwords))


@lru_cache(maxsize=8)
def _built(hotwords: tuple[Hotword, ...]) -> ListedWords:
    words = []
    for one in hotwords:
        reading = one.reading or (one.word if is_kana(one.word) else reading_of(one.word))
        if reading and is_kana(reading) and one.weight > 0:
            words += [
                ListedWord(sound, one.word, COST - GAIN * one.weight) for sound in pronunciations(reading) if sound
            ]
    by_reading: dict[str, tuple[int, ...]] = {}
    for i, word in enumerate(words):
        by_reading[word.reading] = (*by_reading.get(word.reading, ()), i)
    return ListedWords(tuple(words), by_reading, tuple(sorted({len(reading) for reading in by_reading})))
