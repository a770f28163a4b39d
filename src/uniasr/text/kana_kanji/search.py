"""The best way through lattices: a beam search over words, place by place, with costs of triples, pairs and classes.

A word remembers only its best way there, so that the two words before the next one are known: the states of a bigram
search with the costs of a trigram model. Work and memory grow with the number of kana alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uniasr.text.kana_kanji.hashing import U64, left_part, middle_part, right_part
from uniasr.text.kana_kanji.lattice import Lattice, Lattices
from uniasr.text.kana_kanji.tables import START, STEP, UNKNOWN, Tables
from uniasr.types import F32, I64

BEAM = 12
"""Words ending at one place that are gone on from."""
WIDTH = 10.0
"""And at most this much worse than the best of them."""
NONE = -1
"""No word: what fills the rows of tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The best way to each word of a lattice; the last word is the end of the text."""

    cost: F32
    """[words] of the best way up to and with this word."""
    before: I64
    """[words] the word before it on that way; below 0 for the first."""
    middle: U64
    """[words] key of the word before it, as the first of a triple."""
    leaving: F32
    """[words] cost of leaving the triples that begin with the word before it and itself."""
    kept: Sequence[I64]
    """By place: [texts, K] the words of all texts that end there and are gone on from, the best first, then NONE."""
    row: int
    """Of this text in `kept`."""
    first: int
    """Number of the first word of this text in `kept`."""

    def path(self, word: int) -> list[int]:
        """The words on the best way to a word, it included, without what stands before the text."""
        found = []
        while word > 0:
            found.append(word)
            word = int(self.before[word])
        return found[::-1]

    def ending(self, place: int) -> I64:
        """The words ending at a place that are gone on from, the best first."""
        row = self.kept[place][self.row]
        found: I64 = row[row != NONE] - self.first
        return found


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


def search(lattices: Lattices, words: Described, tables: Tables, before: Sequence[int] | None = None) -> list[Ways]:
    """Find the best way to every word of every text, place by place in all of them at once.

    Args:
        lattices: of the texts.
        words: their words as `described` does.
        tables: what they were built with.
        before: the word before the first one of each lattice; START if there are none.
    """
    size, roots = len(lattices.start), lattices.first[lattices.at - 1]
    total, leaving = np.full(size, np.inf, np.float32), np.zeros(size, np.float32)
    back, middle = np.full(size, NONE, np.int64), np.zeros(size, np.uint64)
    total[roots] = 0.0
    middle[roots] = middle_part(np.asarray(START if before is None else before, np.int64).astype(np.uint64))
    by_end = np.argsort(lattices.end, kind="stable")
    last = np.searchsorted(lattices.end[by_end], np.arange(len(lattices.first) + 1))
    longest_first = np.argsort(-lattices.sizes, kind="stable")
    at, sizes = lattices.at[longest_first], lattices.sizes[longest_first]
    kept_at = []
    for place in range(sizes[0] + 1):
        now = at[: np.searchsorted(-sizes, -place, side="right")] + place  # in the texts that are so long
        kept = _beam(by_end, _table(last[now], last[now + 1]), total)
        kept_at.append(kept)
        here = _table(lattices.first[now], lattices.first[now + 1])
        step, left_over = steps(tables, words, kept, here, middle[kept], leaving[kept])
        ways = np.where(kept == NONE, np.float32(np.inf), total[kept])[:, :, None] + step
        best = ways.argmin(axis=1)
        real = here != NONE
        target, source = here[real], np.take_along_axis(kept, best, axis=1)[real]
        chosen = np.nonzero(real)[0], best[real], np.nonzero(real)[1]
        total[target] = ways[chosen] + lattices.extra[target]
        back[target], middle[target], leaving[target] = source, words.middle[source], left_over[chosen]
    found = []
    for text, row in enumerate(np.argsort(longest_first).tolist()):
        own = lattices.words(text)
        found.append(Ways(total[own], back[own] - own.start, middle[own], leaving[own], kept_at, row, own.start))
    return found


def described(lattice: Lattice | Lattices, tables: Tables) -> Described:
    """The words of a lattice, or of several; a listed one counts as unknown."""
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


def _table(first: I64, last: I64) -> I64:
    """[rows, most] the numbers from `first` to before `last` of each row, NONE behind them."""
    numbers = first[:, None] + np.arange((last - first).max())
    return np.where(numbers < last[:, None], numbers, NONE)


def _beam(by_end: I64, places: I64, total: F32) -> I64:
    """[texts, K] of the words at these places of `by_end`, those that are gone on from, the best first."""
    words = by_end[places]
    cost = np.where(places == NONE, np.float32(np.inf), total[words])
    order = cost.argsort(axis=1, kind="stable")[:, :BEAM]
    cost = np.take_along_axis(cost, order, axis=1)
    good = cost <= cost[:, :1] + WIDTH
    kept: I64 = np.where(good, np.take_along_axis(words, order, axis=1), NONE)[:, : good.sum(axis=1).max()]
    return kept


def steps(tables: Tables, words: Described, kept: I64, here: I64, middle: U64, leaving: F32) -> tuple[F32, F32]:
    """[texts, K, M] cost of each word after each word before it, and of leaving the triples that begin with the two.

    Args:
        tables: the costs.
        words: of the lattice.
        kept: [texts, K] the words before; what stands for NONE has any cost.
        here: [texts, M] the words behind them, likewise.
        middle: `Ways.middle` of the words before.
        leaving: `Ways.leaving` of the words before.
    """
    before, behind = (..., slice(None), None), (..., None, slice(None))
    pairs = words.left[kept][before] + words.right[here][behind]
    found, stored, slots = tables.ngrams.find(np.stack((pairs, pairs + middle[before])))
    stored *= np.float32(STEP)
    classes = tables.class_cost[words.word_class[kept][before], words.word_class[here][behind]] * np.float32(STEP)
    lower = words.backoff[kept][before] + classes + words.cost[here][behind]
    step = np.where(found[0], stored[0], lower)
    left_over = np.where(found[0], tables.backoff[slots[0]], np.uint8(0)) * np.float32(STEP)
    return np.where(found[1], stored[1], leaving[before] + step), left_over
