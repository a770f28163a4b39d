"""All words that a stretch of kana may hold, as arrays sorted by their start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from uniasr.text.kana_kanji.hashing import U64, reading_hashes
from uniasr.text.kana_kanji.listed import NO_WORDS, WordList
from uniasr.text.kana_kanji.respelling import respelled
from uniasr.text.kana_kanji.tables import END, START, UNKNOWN, Tables, costs, kana_codes
from uniasr.types import F32, I64

LONGEST_UNKNOWN = 12
"""Kana of an unknown word; a longer one is several."""


RESPELLED = 4.0
"""Cost of a word that fits only with its long vowels written in another way (natural logarithm)."""


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """The words, one an item of each array, sorted by start.

    The first item is what stands before the text and ends at 0; the last one is its end and starts at `n`.
    """

    start: I64
    end: I64
    word: I64
    """Ids of the tables, or -1 - i for item i of the caller's list."""
    extra: F32
    """Cost whatever stands before: of the spelling of an unknown word, and of a listed word."""
    first: I64
    """[n + 2] index of the first word at or behind each place."""


_Found: TypeAlias = tuple[I64, I64, I64, F32]
"""Start, end, id and extra cost of words."""


def build(kana: str, tables: Tables, listed: WordList = NO_WORDS, before: int = START) -> Lattice:
    """The lattice of a stretch of katakana behind the word `before`.

    Every place begins at least one word, an unknown one of one kana, so that there is always a way through.
    """
    count = len(kana)
    edges = np.array([-1, count]), np.array([0, count + 1]), np.array([before, END]), np.zeros(2, np.float32)
    found = [edges, _known(kana, tables), _unknown(kana, tables)]
    if listed.words:
        found.append(_listed(kana, listed))
    start, end, word, extra = (np.concatenate([part[i] for part in found]) for i in range(4))
    order = np.argsort(start, kind="stable")
    start = start[order]
    return Lattice(start, end[order], word[order], extra[order], np.searchsorted(start, np.arange(count + 2)))


def _known(kana: str, tables: Tables) -> _Found:
    """The words of the dictionary: as the kana stand, and dearer where long vowels are written in another way."""
    length, start, hashes = _substrings(kana, tables.longest)
    found = [_with_readings(length, start, hashes, 0.0, tables)]
    for other in dict.fromkeys(respelled(kana)):
        if other != kana:
            _, _, alike = _substrings(other, tables.longest)
            differs = alike != hashes
            found.append(_with_readings(length[differs], start[differs], alike[differs], RESPELLED, tables))
    start, end, word, extra = (np.concatenate([part[i] for part in found]) for i in range(4))
    return start, end, word, extra


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
    count = len(kana)
    codes = kana_codes(kana)
    edge = len(tables.kana_cost) - 1
    steps = costs(tables.kana_cost[codes[:-1], codes[1:]])
    so_far = np.concatenate([[np.float32(0)], np.cumsum(steps, dtype=np.float32)])
    begin, finish = costs(tables.kana_cost[edge, codes]), costs(tables.kana_cost[codes, edge])
    lengths = range(1, min(LONGEST_UNKNOWN, count) + 1)
    start = np.concatenate([np.arange(count - length + 1) for length in lengths])
    end = np.concatenate([np.arange(length, count + 1) for length in lengths])
    cost = begin[start] + so_far[end - 1] - so_far[start] + finish[end - 1]
    return start, end, np.full(len(start), UNKNOWN), cost


def _listed(kana: str, listed: WordList) -> _Found:
    """Occurrences of the caller's words, which are unknown words that cost less."""
    spans = list(listed.occurrences(kana))
    start, end, index = (np.array([span[i] for span in spans], np.int64) for i in range(3))
    return start, end, -1 - index, np.array([listed.words[i].cost for _, _, i in spans], np.float32)
