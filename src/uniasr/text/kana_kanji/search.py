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
class Before:
    """What the tables say of words that others follow."""

    left: U64
    word_class: I64
    backoff: F32
    """Of leaving the pairs that begin with it for classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """What the tables say of words that follow others."""

    right: U64
    word_class: I64
    cost: F32
    """Given its class."""

    def __getitem__(self, part: tuple[int | slice, ...]) -> Behind:
        return Behind(self.right[part], self.word_class[part], self.cost[part])


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What the tables say of each word of a lattice."""

    left: U64
    middle: U64
    right: U64
    word_class: I64
    cost: F32
    backoff: F32

    def before(self, words: I64) -> Before:
        """Some of the words, as those before others."""
        return Before(self.left[words], self.word_class[words], self.backoff[words])

    def behind(self, words: I64) -> Behind:
        """Some of the words, as those behind others."""
        return Behind(self.right[words], self.word_class[words], self.cost[words])


def search(lattices: Lattices, words: Described, tables: Tables, before: Sequence[int] | None = None) -> list[Ways]:
    """Find the best way to every word of every text, place by place in all of them at once.

    Args:
        lattices: of the texts.
        words: their words as `described` does.
        tables: what they were built with.
        before: the word before the first one of each lattice; START if there are none.
    """
    size, roots = len(lattices.start), lattices.first[lattices.at - 1]
    # The last item of these stands for NONE, which is never the best.
    total, leaving = np.full(size + 1, np.inf, np.float32), np.zeros(size + 1, np.float32)
    back, middle = np.full(size + 1, NONE, np.int64), np.zeros(size + 1, np.uint64)
    total[roots] = 0.0
    middle[roots] = middle_part(np.asarray(START if before is None else before, np.int64).astype(np.uint64))
    by_end = np.append(np.argsort(lattices.end, kind="stable"), NONE)
    last = np.searchsorted(lattices.end[by_end[:-1]], np.arange(len(lattices.first) + 1))
    longest_first = np.argsort(-lattices.sizes, kind="stable")
    at, sizes = lattices.at[longest_first], lattices.sizes[longest_first]
    count = np.searchsorted(-sizes, -np.arange(sizes[0] + 1), side="right")  # texts with such a place
    now = at + np.minimum(np.arange(sizes[0] + 1)[:, None], sizes)
    first, behind_last = lattices.first[now], lattices.first[now + 1]
    ahead = _table(first, behind_last)
    known, extra = words.behind(ahead), lattices.extra[ahead]
    row, kept_at = np.arange(len(at))[:, None], []
    for place, (texts, width) in enumerate(
        zip(count.tolist(), (behind_last - first).max(axis=1).tolist(), strict=True)
    ):
        part, rows = (place, slice(texts), slice(width)), row[:texts]
        kept = _beam(by_end[_table(last[now[place, :texts]], last[now[place, :texts] + 1])], total, rows)
        kept_at.append(kept)
        step, left_over = steps(tables, words.before(kept), known[part], middle[kept], leaving[kept])
        ways = total[kept][:, :, None] + step
        best, here = ways.argmin(axis=1), ahead[part]
        chosen, source = (rows, best, np.arange(width)), kept[rows, best]
        total[here] = ways[chosen] + extra[part]
        total[NONE] = np.inf
        back[here], middle[here], leaving[here] = source, words.middle[source], left_over[chosen]
    found = []
    for text, own_row in enumerate(np.argsort(longest_first).tolist()):
        own = lattices.words(text)
        found.append(Ways(total[own], back[own] - own.start, middle[own], leaving[own], kept_at, own_row, own.start))
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
    """[..., most] the numbers from each `first` to before its `last`, NONE behind them."""
    numbers = first[..., None] + np.arange((last - first).max())
    return np.where(numbers < last[..., None], numbers, NONE)


def _beam(ending: I64, total: F32, rows: I64) -> I64:
    """[texts, K] of the words [texts, E] that end at a place those that are gone on from, the best first."""
    cost = total[ending]
    order = cost.argsort(axis=1, kind="stable")[:, :BEAM]
    cost = cost[rows, order]
    good = cost <= cost[:, :1] + WIDTH
    kept: I64 = np.where(good, ending[rows, order], NONE)[:, : good.sum(axis=1).max()]
    return kept


def steps(tables: Tables, before: Before, behind: Behind, middle: U64, leaving: F32) -> tuple[F32, F32]:
    """[..., K, M] cost of each word after each word before it, and of leaving the triples that begin with the two.

    Args:
        tables: the costs.
        before: [..., K] the words before.
        behind: [..., M] the words behind them.
        middle: [..., K] `Ways.middle` of the words before.
        leaving: [..., K] `Ways.leaving` of the words before.
    """
    column = (..., slice(None), None)
    pairs = before.left[column] + behind.right[..., None, :]
    found, stored, slots = tables.ngrams.find(np.stack((pairs, pairs + middle[column])))
    stored *= np.float32(STEP)
    classes = tables.class_cost[before.word_class[column], behind.word_class[..., None, :]] * np.float32(STEP)
    lower = before.backoff[column] + classes + behind.cost[..., None, :]
    step = np.where(found[0], stored[0], lower)
    left_over = np.where(found[0], tables.backoff[slots[0]], np.uint8(0)) * np.float32(STEP)
    return np.where(found[1], stored[1], leaving[column] + step), left_over
