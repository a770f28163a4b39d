"""Words of a window exchanged for others of the same part of speech and inflection, from the same source.

Commas depend on the build of a sentence far more than on its nouns and verbs, and 14,000 of them are soon learned by
heart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from corpus import COMMA, NONE

Ids = npt.NDArray[np.int64]
CLASS, SOURCE = 2, 3
"""Columns of the targets: twice the part of speech, and one more where the word ends; the number of the source."""
SHARE = 0.45
"""Of the words of open classes, in windows where they are exchanged."""


def spans(classes: Ids) -> tuple[Ids, Ids]:
    """First and last place of the words of the dictionary that lie whole in a row of classes [N]."""
    lasts = np.flatnonzero((classes >= 0) & (classes % 2 == 1))
    firsts = np.concatenate([[0], lasts[:-1] + 1])[: len(lasts)]
    whole = classes[firsts] // 2 == classes[lasts] // 2
    return firsts[whole], lasts[whole]


@dataclass(frozen=True)
class Exchange:
    """The different words of each open part of speech and source, as rows of ids."""

    words: dict[tuple[int, int], tuple[Ids, ...]]

    def __call__(self, ids: Ids, targets: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
        """The window with other words; a mark behind a word and its chance stay."""
        firsts, lasts = spans(targets[:, CLASS])
        marked = np.concatenate([[0], np.cumsum(targets[:, 0] >= COMMA)])
        plain = marked[lasts] == marked[firsts]
        chosen = np.flatnonzero(plain & (rng.random(len(firsts)) < SHARE))
        out_ids, out, done = [], [], 0
        for first, last in zip(firsts[chosen].tolist(), lasts[chosen].tolist(), strict=True):
            words = self.words.get((int(targets[last, CLASS]) // 2, int(targets[last, SOURCE])))
            if words is None:
                continue
            word = words[int(rng.integers(len(words)))]
            rows = np.repeat(targets[last : last + 1], len(word), axis=0)
            rows[:-1, :SOURCE] = NONE, 0, targets[last, CLASS] - 1
            out_ids += [ids[done:first], word]
            out += [targets[done:first], rows]
            done = last + 1
        return np.concatenate([*out_ids, ids[done:]]), np.concatenate([*out, targets[done:]])


def exchange_of(ids: Ids, targets: Ids, open_classes: Sequence[bool]) -> Exchange:
    """The exchange among the words of some sentences."""
    found: dict[tuple[int, int], set[tuple[int, ...]]] = defaultdict(set)
    for first, last in zip(*(places.tolist() for places in spans(targets[:, CLASS])), strict=True):
        tag = int(targets[last, CLASS]) // 2
        word = tuple(ids[first : last + 1].tolist())
        if open_classes[tag] and 0 not in word:
            found[tag, int(targets[last, SOURCE])].add(word)
    return Exchange({key: tuple(np.array(word) for word in sorted(words)) for key, words in found.items()})
