"""Training windows: sentences joined to paragraphs, cut and spoiled as the output of a recogniser is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from corpus import COMMA, ENDS, NONE, STOP
from exchange import Exchange

Ids = npt.NDArray[np.int64]
IGNORED, UNKNOWN = -100, 0
LABEL, CHANCE, CLASS, SOURCE = 0, 1, 2, 3
"""Columns of the targets."""
SURE = 1000
"""Chances are stored in thousandths."""
LONGEST = 128
"""Words of a window."""
OPEN = 8
"""Words before a cut whose labels are not learned: what tells them lies behind it."""
PAUSED = 0.3
"""Share of the windows with a comma that also come with an end behind one, as a speaker pauses in mid-sentence."""
EXCHANGED = 0.8
"""Share of the windows that get other words."""
HIDDEN = 0.05
"""Of the words, in half of the windows: they are unknown, so that no run of words is learned by heart."""
TOLD = 0.5
"""Share of the windows that hold whole sentences only and tell their ends, as in the second look at run time."""
UNTOLD = 0.03
"""Of the ends in them, the share that the first look has missed."""
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
    """The sentences of one rendering in a row: ids [N] and targets [N, 4]; sentence i is `starts[i]:starts[i + 1]`.

    Targets of a word are its label, the chance of a comma behind it in thousandths, its class (`prepare.targets`), and
    the source of its sentence.
    With an `exchange`, most windows get other words.
    """

    rendering: str
    ids: Ids
    targets: Ids
    starts: Ids
    sources: npt.NDArray[np.int64]
    exchange: Exchange | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class Batch:
    """Windows padded to the longest: ids [N, K], targets [N, K, 4], words per window [N]."""

    ids: Ids
    targets: Ids
    counts: Ids

    @property
    def labels(self) -> Ids:
        """[N, K]."""
        return self.targets[..., LABEL]


def windows(corpus: Corpus, rng: np.random.Generator, vocab_size: int) -> Iterator[tuple[Ids, Ids]]:
    """All sentences once, in random order, one to eight to a window; a third of the windows keep to one source."""
    order = rng.permutation(len(corpus))
    third = len(order) // 3
    alike = order[:third]
    alike = alike[np.argsort(corpus.sources[alike], kind="stable")]
    groups = [group for part in (alike, order[third:]) for group in _groups(part, rng)]
    for place in rng.permutation(len(groups)):
        yield from _pieces(corpus, groups[place], rng, vocab_size)


def plain(corpus: Corpus, rng: np.random.Generator) -> Iterator[tuple[Ids, Ids]]:
    """All sentences once, in random order, one to eight to a window of about LONGEST words, as they are written."""
    for group in _groups(rng.permutation(len(corpus)), rng):
        ends = np.cumsum(np.diff(corpus.starts)[group])
        for part in np.split(group, 1 + np.flatnonzero(np.diff(ends // LONGEST))):
            yield _joined(corpus, part)


def with_ends(ids: Ids, targets: Ids, known: npt.NDArray[np.bool_], vocab_size: int) -> tuple[Ids, Ids]:
    """A window with a word behind each known end of a sentence [N]; there is no mark to learn at either then."""
    behind = np.flatnonzero(known) + 1
    labels = targets[behind - 1, LABEL]
    targets = targets.copy()
    targets[behind - 1, LABEL] = IGNORED
    told = np.full((len(behind), targets.shape[1]), IGNORED)
    told[:, SOURCE] = targets[behind - 1, SOURCE]
    words = vocab_size - len(ENDS) + labels - STOP
    return np.insert(ids, behind, words), np.insert(targets, behind, told, axis=0)


def _whole(ids: Ids, targets: Ids, size: int) -> Iterator[tuple[Ids, Ids]]:
    """Pieces of whole sentences, as many as `size` words hold, at least one; what ends in no full stop is cut off."""
    first = last = 0
    for end in (np.flatnonzero(targets[:, LABEL] >= STOP) + 1).tolist():
        if last > first and end - first > size:
            yield ids[first:last], targets[first:last]
            first = last
        last = end
    if last > first:
        yield ids[first:last], targets[first:last]


def _groups(order: Ids, rng: np.random.Generator) -> Iterator[Ids]:
    start = 0
    while start < len(order):
        size = int(rng.integers(1, 9))
        yield order[start : start + size]
        start += size


def _joined(corpus: Corpus, group: Ids) -> tuple[Ids, Ids]:
    places = np.concatenate([np.arange(corpus.starts[i], corpus.starts[i + 1]) for i in group])
    return corpus.ids[places], corpus.targets[places]


def _pieces(corpus: Corpus, group: Ids, rng: np.random.Generator, vocab_size: int) -> Iterator[tuple[Ids, Ids]]:
    ids, targets = _joined(corpus, group)
    if corpus.exchange and rng.random() < EXCHANGED:
        ids, targets = corpus.exchange(ids, targets, rng)
    if rng.random() < 0.5:
        ids = np.where(rng.random(len(ids)) < HIDDEN, UNKNOWN, ids)
    if rng.random() < 0.5:
        ids, targets = spoiled(ids, targets, SPOILS[corpus.rendering], rng, vocab_size)
    size = int(rng.integers(24, LONGEST)) if rng.random() < 0.5 else LONGEST
    if rng.random() < TOLD:
        for part, wanted in _whole(ids, targets, size):
            known = (wanted[:, LABEL] >= STOP) & (rng.random(len(part)) >= UNTOLD)
            yield with_ends(part, wanted, known, vocab_size)
        return
    if rng.random() < 0.1 and len(ids) > 20:  # a recogniser's segment may begin anywhere
        first = int(rng.integers(1, 10))
        ids, targets = ids[first:], targets[first:]
    commas = np.flatnonzero(targets[:size, LABEL] == COMMA)
    if len(commas) and rng.random() < PAUSED:
        end = int(rng.choice(commas)) + 1
        paused = targets[:end].copy()
        paused[-1, CHANCE] = SURE  # where a speaker pauses, it is a comma, whatever a writer would do
        yield ids[:end], paused
        stops = np.flatnonzero(targets[:end, LABEL] >= STOP)
        first = int(stops[-1]) + 1 if len(stops) else 0
        ids, targets = ids[first:], targets[first:]
    while len(ids) > size:
        opened = targets[:size].copy()
        opened[-OPEN:, LABEL] = IGNORED
        yield ids[:size], opened
        ids, targets = _behind_a_stop(ids, targets, size)
    if len(ids):
        yield ids, targets


def _behind_a_stop(ids: Ids, targets: Ids, size: int) -> tuple[Ids, Ids]:
    """What a window of `size` words leaves: all behind its last full stop, as at run time."""
    stops = np.flatnonzero(targets[: size - OPEN, LABEL] >= STOP)
    first = int(stops[-1]) + 1 if len(stops) else size
    return ids[first:], targets[first:]


def spoiled(ids: Ids, targets: Ids, spoil: Spoil, rng: np.random.Generator, vocab_size: int) -> tuple[Ids, Ids]:
    """The window with words lost, mistaken and put in; a lost word leaves its mark to the word before it."""
    out_ids, out = [], []
    dice, others = rng.random(len(ids)), rng.choice(ids, len(ids))
    for word, row, die, other in zip(ids.tolist(), targets.tolist(), dice.tolist(), others.tolist(), strict=True):
        if die < spoil.drop and out_ids:
            out[-1] = [max(out[-1][LABEL], row[LABEL]), max(out[-1][CHANCE], row[CHANCE]), *out[-1][CLASS:]]
            continue
        if die > 1 - spoil.replace:
            word = other if die < 1 - spoil.replace / 2 else int(rng.integers(vocab_size - len(ENDS)))
        out_ids.append(word)
        if spoil.drop < die < spoil.drop + spoil.insert:
            out.append([NONE, 0, IGNORED, row[SOURCE]])
            out_ids.append(other)
        out.append(row)
    return np.array(out_ids), np.array(out)


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
    targets = np.full((*ids.shape, 4), IGNORED)
    for row, (own, wanted) in enumerate(group):
        ids[row, : len(own)] = own
        targets[row, : len(own)] = wanted
    return Batch(ids, targets, counts)
