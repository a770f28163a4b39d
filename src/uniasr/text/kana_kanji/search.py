"""The best way through a lattice: a beam search over words, place by place, with costs of triples, pairs and classes.

A word remembers only its best way there, so that the two words before the next one are known: the states of a bigram
search with the costs of a trigram model. Work and memory grow with the number of kana alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.text.kana_kanji.hashing import U64, left_part, middle_part, right_part
from uniasr.text.kana_kanji.lattice import Lattice
from uniasr.text.kana_kanji.tables import START, STEP, UNKNOWN, Tables
from uniasr.types import F32, I64

BEAM = 12
"""Words ending at one place that are gone on from."""
WIDTH = 10.0
"""And at most this much worse than the best of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The best way to each word of a lattice; the last word is the end of the text."""

    cost: F32
    """[words] of the best way up to and with this word."""
    before: I64
    """[words] the word before it on that way; -1 for the first."""
    middle: U64
    """[words] key of the word before it, as the first of a triple."""
    leaving: F32
    """[words] cost of leaving the triples that begin with the word before it and itself."""
    ending: list[I64]
    """[n + 1] the words ending at each place that are gone on from, the best first."""

    def path(self, word: int) -> list[int]:
        """The words on the best way to a word, it included, without what stands before the text."""
        found = []
        while word > 0:
            found.append(word)
            word = int(self.before[word])
        return found[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What the tables say of each word of a lattice."""

    left: U64
    middle: U64
    right: U64
    word_class: I64
    cost: F32
    """Given its class."""
    backoff: F32
    """Of leaving the pairs that begin with it for classes."""


def search(lattice: Lattice, words: Described, tables: Tables, before: int = START) -> Ways:
    """Find the best way to every word.

    Args:
        lattice: of the text.
        words: its words as `described` does.
        tables: what it was built with.
        before: the word before the lattice's first one.
    """
    size, places = len(lattice.start), len(lattice.first) - 1
    total, leaving = np.full(size, np.inf, np.float32), np.zeros(size, np.float32)
    back = np.full(size, -1, np.int64)
    middle = np.zeros(size, np.uint64)
    total[0] = 0.0
    middle[:1] = middle_part(np.array([before], np.int64).astype(np.uint64))
    by_end = np.argsort(lattice.end, kind="stable")
    bounds = np.searchsorted(lattice.end[by_end], np.arange(places + 1)).tolist()
    first = [*lattice.first.tolist(), size]
    ending = []
    for place in range(places):
        kept = _beam(by_end[bounds[place] : bounds[place + 1]], total)
        ending.append(kept)
        here = slice(first[place], first[place + 1])
        step, left_over = steps(tables, words, kept, here, middle[kept], leaving[kept])
        ways = total[kept][:, None] + step
        best = ways.argmin(axis=0)
        column = np.arange(len(best))
        source = kept[best]
        total[here] = ways[best, column] + lattice.extra[here]
        back[here], middle[here], leaving[here] = source, words.middle[source], left_over[best, column]
    return Ways(total, back, middle, leaving, ending)


def described(lattice: Lattice, tables: Tables) -> Described:
    """The words of a lattice; a listed one counts as unknown."""
    ids = lattice.word.astype(np.uint64)
    known = np.where(lattice.word < 0, UNKNOWN, lattice.word)
    return Described(
        left_part(ids),
        middle_part(ids),
        right_part(ids),
        tables.word_class[known].astype(np.int64),
        tables.word_cost[known] * np.float32(STEP),
        tables.word_backoff[known] * np.float32(STEP),
    )


def _beam(words: I64, total: F32) -> I64:
    if len(words) == 1:
        return words
    cost = total[words]
    order = cost.argsort(kind="stable")[:BEAM]
    kept: I64 = words[order[cost[order] <= cost[order[0]] + WIDTH]]
    return kept


def steps(tables: Tables, words: Described, kept: I64, here: slice, middle: U64, leaving: F32) -> tuple[F32, F32]:
    """[kept, here] cost of each word after each word before it, and of leaving the triples that begin with the two.

    Args:
        tables: the costs.
        words: of the lattice.
        kept: the words before.
        here: the words behind them.
        middle: `Ways.middle` of the words before.
        leaving: `Ways.leaving` of the words before.
    """
    pairs = words.left[kept][:, None] + words.right[here]
    found, stored, slots = tables.ngrams.find(np.stack((pairs, pairs + middle[:, None])))
    stored *= np.float32(STEP)
    classes = tables.class_cost[words.word_class[kept][:, None], words.word_class[here]] * np.float32(STEP)
    lower = words.backoff[kept][:, None] + classes + words.cost[here]
    step = np.where(found[0], stored[0], lower)
    left_over = np.where(found[0], tables.backoff[slots[0]], np.uint8(0)) * np.float32(STEP)
    return np.where(found[1], stored[1], leaving[:, None] + step), left_over
