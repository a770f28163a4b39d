"""Training windows: sentences joined to paragraphs, cut and spoiled as the output of a recogniser is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from corpus import NONE, STOP

Ids = npt.NDArray[np.int64]
IGNORED = -100
LONGEST = 128
"""Words of a window."""
OPEN = 8
"""Words before a cut whose labels are not learned: what tells them lies behind it."""
POOL = 40
"""Batches that are sorted by length together."""


@dataclass(frozen=True)
class Spoil:
    """Chances per word, in the half of the windows that are spoiled."""

    drop: float
    replace: float
    insert: float


SPOILS = {"text": Spoil(0.01, 0.02, 0.005), "kana": Spoil(0.02, 0.04, 0.01)}


@dataclass(frozen=True)
class Corpus:
    """The sentences of one rendering as one row of ids and labels; sentence i is `starts[i]:starts[i + 1]`."""

    rendering: str
    ids: Ids
    labels: Ids
    starts: Ids
    sources: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class Batch:
    """Windows padded to the longest: ids and labels [N, K], words per window [N]."""

    ids: Ids
    labels: Ids
    counts: Ids


def windows(corpus: Corpus, rng: np.random.Generator, vocab_size: int) -> Iterator[tuple[Ids, Ids]]:
    """All sentences once, in random order, one to eight to a window; a third of the windows keep to one source."""
    order = rng.permutation(len(corpus))
    third = len(order) // 3
    alike = order[:third]
    alike = alike[np.argsort(corpus.sources[alike], kind="stable")]
    groups = [group for part in (alike, order[third:]) for group in _groups(part, rng)]
    for place in rng.permutation(len(groups)):
        yield from _pieces(corpus, groups[place], rng, vocab_size)


def _groups(order: Ids, rng: np.random.Generator) -> Iterator[Ids]:
    start = 0
    while start < len(order):
        size = int(rng.integers(1, 9))
        yield order[start : start + size]
        start += size


def _pieces(corpus: Corpus, group: Ids, rng: np.random.Generator, vocab_size: int) -> Iterator[tuple[Ids, Ids]]:
    parts = [slice(corpus.starts[i], corpus.starts[i + 1]) for i in group]
    ids = np.concatenate([corpus.ids[part] for part in parts])
    labels = np.concatenate([corpus.labels[part] for part in parts])
    if rng.random() < 0.5:
        ids, labels = spoiled(ids, labels, SPOILS[corpus.rendering], rng, vocab_size)
    if rng.random() < 0.1 and len(ids) > 20:  # a recogniser's segment may begin anywhere
        first = int(rng.integers(1, 10))
        ids, labels = ids[first:], labels[first:]
    size = int(rng.integers(24, LONGEST)) if rng.random() < 0.5 else LONGEST
    while len(ids) > size:
        yield ids[:size], np.append(labels[: size - OPEN], np.full(OPEN, IGNORED))
        ids, labels = _behind_a_stop(ids, labels, size)
    if len(ids):
        yield ids, labels


def _behind_a_stop(ids: Ids, labels: Ids, size: int) -> tuple[Ids, Ids]:
    """What a window of `size` words leaves: all behind its last full stop, as at run time."""
    stops = np.flatnonzero(labels[: size - OPEN] >= STOP)
    first = int(stops[-1]) + 1 if len(stops) else size
    return ids[first:], labels[first:]


def spoiled(ids: Ids, labels: Ids, spoil: Spoil, rng: np.random.Generator, vocab_size: int) -> tuple[Ids, Ids]:
    """The window with words lost, mistaken and put in; a lost word leaves its mark to the word before it."""
    out_ids, out_labels = [], []
    dice, others = rng.random(len(ids)), rng.choice(ids, len(ids))
    for word, label, die, other in zip(ids.tolist(), labels.tolist(), dice.tolist(), others.tolist(), strict=True):
        if die < spoil.drop and out_ids:
            out_labels[-1] = max(out_labels[-1], label)
            continue
        if die > 1 - spoil.replace:
            word = other if die < 1 - spoil.replace / 2 else int(rng.integers(vocab_size))
        out_ids.append(word)
        if spoil.drop < die < spoil.drop + spoil.insert:
            out_labels.append(NONE)
            out_ids.append(other)
        out_labels.append(label)
    return np.array(out_ids), np.array(out_labels)


def batches(corpora: Sequence[Corpus], words: int, seed: int, epoch: int, vocab_size: int) -> Iterator[Batch]:
    """The batches of one epoch over all renderings, each of at most `words` places with padding."""
    rng = np.random.default_rng((seed, epoch))
    found = [window for corpus in corpora for window in windows(corpus, rng, vocab_size)]
    order = rng.permutation(len(found))
    lengths = np.array([len(found[i][0]) for i in order])
    pool = POOL * words // LONGEST
    planned = []
    for start in range(0, len(order), pool):
        inner = start + np.argsort(lengths[start : start + pool], kind="stable")
        group: list[int] = []
        for place in inner:
            if (len(group) + 1) * lengths[place] > words:
                planned.append(group)
                group = []
            group.append(int(order[place]))
        planned.append(group)
    for place in rng.permutation(len(planned)):
        yield padded([found[i] for i in planned[place]])


def padded(group: Sequence[tuple[Ids, Ids]]) -> Batch:
    """Windows side by side."""
    counts = np.array([len(ids) for ids, _ in group])
    ids = np.zeros((len(group), counts.max()), np.int64)
    labels = np.full_like(ids, IGNORED)
    for row, (own, marks) in enumerate(group):
        ids[row, : len(own)] = own
        labels[row, : len(own)] = marks
    return Batch(ids, labels, counts)
