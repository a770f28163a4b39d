"""All words that stretches of kana may hold, as arrays sorted by their start.

The lattices of several texts lie side by side in the same arrays, parted by marks that no word holds: many short texts
cost little more than one. None of them knows of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from uniasr.text.kana_kanji.hashing import U64, reading_hashes
from uniasr.text.kana_kanji.listed import NO_WORDS, ListedWords
from uniasr.text.kana_kanji.respelling import respelled
from uniasr.text.kana_kanji.tables import END, START, STEP, UNKNOWN, Tables, kana_codes
from uniasr.types import F32, I64

LONGEST_UNKNOWN = 8
"""Kana of an unknown word; a longer one is several, with the same text. So it is soon settled what kana become."""
RESPELLED = 4.0
"""Cost of a word that fits only with its long vowels written in another way (natural logarithm)."""
_MARK = "\0"
"""Stands for what is before a text and for its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """The words of one text, one an item of each array, sorted by start.

    The first item is what stands before the text and ends at 0; the last one is its end and starts at `n`.
    """

    start: I64
    end: I64
    word: I64
    """Ids of the tables, or -1 - i for item i of the caller's list."""
    extra: F32
    """Cost whatever stands before: of the spelling of an unknown word, and of a listed word."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattices:
    """The lattices of several texts, as one; places count on from text to text."""

    start: I64
    end: I64
    word: I64
    extra: F32
    first: I64
    """[places + 1] index of the first word at or behind each place."""
    at: I64
    """[texts] place of the first kana of each."""
    sizes: I64
    """[texts] kana of each."""

    def words(self, text: int) -> slice:
        """Where the words of a text are."""
        at = int(self.at[text])
        return slice(int(self.first[at - 1]), int(self.first[at + int(self.sizes[text]) + 1]))

    def lattice(self, text: int) -> Lattice:
        """The lattice of one of the texts, with places of its own."""
        own, at = self.words(text), self.at[text]
        return Lattice(self.start[own] - at, self.end[own] - at, self.word[own], self.extra[own])


_Found: TypeAlias = tuple[I64, I64, I64, F32]
"""Start, end, id and extra cost of words."""


def build(
    texts: Sequence[str], tables: Tables, listed: ListedWords = NO_WORDS, before: Sequence[int] | None = None
) -> Lattices:
    """The lattices of stretches of katakana, each behind a word `before` (START if there are none).

    Every place begins at least one word, an unknown one of one kana, so that there is always a way through.
    """
    sizes = np.array([len(text) for text in texts])
    at = np.cumsum(sizes + 2) - sizes - 1
    kana = "".join(f"{_MARK}{text}{_MARK}" for text in texts)
    found = [_edges(at, sizes, before), _known(kana, tables), _unknown(kana, tables)]
    if listed.words:
        found.append(_listed(kana, listed))
    start, end, word, extra = _joined(found)
    order = np.argsort(start, kind="stable")
    start = start[order]
    first = np.searchsorted(start, np.arange(len(kana) + 1))
    return Lattices(start, end[order], word[order], extra[order], first, at, sizes)


def _joined(found: Sequence[_Found]) -> _Found:
    start, end, word, extra = (np.concatenate([part[i] for part in found]) for i in range(4))
    return start, end, word, extra


def _edges(at: I64, sizes: I64, before: Sequence[int] | None) -> _Found:
    """What stands before each text, and its end."""
    start, count = np.concatenate([at - 1, at + sizes]), len(at)
    words = np.repeat([START, END], count)
    if before is not None:
        words[:count] = before
    return start, start + 1, words, np.zeros(2 * count, np.float32)


def _known(kana: str, tables: Tables) -> _Found:
    """The words of the dictionary: as the kana stand, and dearer where long vowels are written in another way."""
    length, start, hashes = _substrings(kana, tables.longest)
    found, seen = [_with_readings(length, start, hashes, 0.0, tables)], [hashes]
    for other in respelled(kana):
        _, _, alike = _substrings(other, tables.longest)
        new = np.logical_and.reduce([alike != one for one in seen])
        if new.any():
            found.append(_with_readings(length[new], start[new], alike[new], RESPELLED, tables))
            seen.append(alike)
    return _joined(found)


def _substrings(kana: str, longest: int) -> tuple[I64, I64, U64]:
    """Length, start and hash of all substrings."""
    codes = np.frombuffer(kana.encode("utf-32-le"), np.uint32).astype(np.uint64)
    hashes = reading_hashes(codes, longest)
    sizes = [len(part) for part in hashes]
    lengths = np.repeat(np.arange(1, len(hashes) + 1), sizes)
    return lengths, np.concatenate([np.arange(size) for size in sizes]), np.concatenate(hashes)


def _with_readings(lengths: I64, starts: I64, hashes: U64, extra: float, tables: Tables) -> _Found:
    """Start, end, id and extra cost of the words whose readings have these hashes."""
    places = np.minimum(np.searchsorted(tables.readings, hashes), len(tables.readings) - 1)
    hits = np.flatnonzero(tables.readings[places] == hashes)
    reading = places[hits]
    first = tables.first_word[reading].astype(np.int64)
    counts = tables.first_word[reading + 1] - first
    word = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    start = np.repeat(starts[hits], counts)
    return start, start + np.repeat(lengths[hits], counts), word, np.full(len(word), extra, np.float32)


def _unknown(kana: str, tables: Tables) -> _Found:
    """Every stretch of up to LONGEST_UNKNOWN kana as a word of its own."""
    codes = kana_codes(kana)
    edge = len(tables.kana_cost) - 1
    stored = tables.kana_cost.astype(np.int64)  # sums of whole numbers do not depend on what else is summed
    so_far = np.concatenate([[0], np.cumsum(stored[codes[:-1], codes[1:]])])
    begin, finish = stored[edge, codes], stored[codes, edge]
    marks = np.concatenate([[0], np.cumsum([char == _MARK for char in kana])])
    lengths = range(1, min(LONGEST_UNKNOWN, len(kana)) + 1)
    start = np.concatenate([np.arange(len(kana) - length + 1) for length in lengths])
    end = np.concatenate([np.arange(length, len(kana) + 1) for length in lengths])
    within = marks[start] == marks[end]
    start, end = start[within], end[within]
    cost = (begin[start] + so_far[end - 1] - so_far[start] + finish[end - 1]).astype(np.float32)
    return start, end, np.full(len(start), UNKNOWN), cost * np.float32(STEP)


def _listed(kana: str, listed: ListedWords) -> _Found:
    """Occurrences of the caller's words, which are unknown words that cost less."""
    spans = list(listed.occurrences(kana))
    start, end, index = (np.array([span[i] for span in spans], np.int64) for i in range(3))
    return start, end, -1 - index, np.array([listed.words[i].cost for _, _, i in spans], np.float32)


def going_on(kana: str, tables: Tables, listed: ListedWords = NO_WORDS) -> list[int]:
    """The places at which a word may begin that reaches beyond the kana, its end among them.

    An unknown word may be any; of the others the kana so far must be the beginning, a few too many are named.
    """
    size = len(kana)
    near = max(0, size + 1 - LONGEST_UNKNOWN)
    length, start, _ = _substrings(kana, tables.longest)
    last = np.flatnonzero((start + length == size) & (start < near))
    open_ = np.zeros(size + 1, np.bool_)
    open_[near:] = True
    for spelling in (kana, *respelled(kana)) if len(last) else ():
        hashes = _substrings(spelling, tables.longest)[2][last]
        open_[start[last]] |= tables.beginnings.holds(hashes)
    for word in listed.words:
        for place in range(max(0, size + 1 - len(word.reading)), near):
            open_[place] |= word.reading.startswith(kana[place:])
    found: list[int] = np.flatnonzero(open_).tolist()
    return found
