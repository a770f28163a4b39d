"""How sure the choice of a word is: its share among all words that may end where it ends, each behind its best way.

What follows a word counts for the choice itself (`search`) and not here. So a word that is settled keeps its certainty,
and nothing has to be searched again; on held-back text these shares tell right words from wrong ones better than those
among whole texts (`alternatives`).
"""

from __future__ import annotations

from math import exp, inf

import numpy as np

from uniasr.text.kana_kanji.windows import Window


def certainties(window: Window) -> list[float]:
    """The probability of each of a window's words, given all kana up to its end and that a word ends there."""
    lattice = window.lattice
    return [_share(window, word, np.flatnonzero(lattice.end == lattice.end[word]).tolist()) for word in window.words]


def _share(window: Window, chosen: int, others: list[int]) -> float:
    """The share of a word; one that is found in several spellings counts as the cheapest."""
    lattice, costs = window.lattice, window.ways.cost
    least: dict[tuple[int, int], float] = {}
    for word in others:
        which = int(lattice.start[word]), int(lattice.word[word])
        least[which] = min(float(costs[word]), least.get(which, inf))
    cheapest = min(least.values())
    own = least[int(lattice.start[chosen]), int(lattice.word[chosen])]
    return exp(cheapest - own) / sum(exp(cheapest - cost) for cost in least.values())
