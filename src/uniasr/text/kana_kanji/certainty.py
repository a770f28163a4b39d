"""How sure the choice of a word is: its share among all words that may end where it ends, each behind its best way.

What follows a word counts for the choice itself (`search`) and not here. So a word that is settled keeps its certainty,
and nothing has to be searched again; on held-back text these shares tell right words from wrong ones better than those
among whole texts (`alternatives`).

A word that stands alone has nothing but its frequency in running text for it. That is a poor guide to single words,
which come from lists, menus and commands: its odds count less.

A word that no dictionary has stays katakana, which is right if it is foreign. One that has no mora of foreign words
only may as well be a rare word with kanji.
"""

from __future__ import annotations

import re
from math import exp, inf

import numpy as np

from uniasr.text.kana_kanji.tables import UNKNOWN
from uniasr.text.kana_kanji.windows import Window

FOREIGN = re.compile("[ァィゥェォヴ]|[テデフ]ュ")
"""Kana of morae that only foreign words have: ファ, ティ, ヴ, デュ."""
SPELLED = 0.65
"""What the share of an unknown word without them is worth: in 1,593 sentences that the tables were not made from,
katakana were right for 39 % of 59 such words, whose shares were 0.60 on average; with them for 94 % of 50 (0.94)."""

ALONE = 0.46
"""What the log-odds of a word alone are multiplied by: of 4,386 real single words whose kana were right, 75 % were
written rightly, where the shares said 82 % (0.98 was 0.91, 0.85 was 0.64, 0.15 was 0.34); fitted on these
(recipes/ja_written)."""


def certainties(window: Window) -> list[float]:
    """The probability of each of a window's words, given all kana up to its end and that a word ends there."""
    lattice = window.lattice
    shares = [_share(window, word, np.flatnonzero(lattice.end == lattice.end[word]).tolist()) for word in window.words]
    if window.alone(window.words, len(window.kana)):
        shares = [share**ALONE / (share**ALONE + (1 - share) ** ALONE) for share in shares]
    return [share * _spelling(window, word) for share, word in zip(shares, window.words, strict=True)]


def _spelling(window: Window, word: int) -> float:
    """How probably katakana are right, if this word is written so for want of a better way."""
    lattice = window.lattice
    kana = window.kana[int(lattice.start[word]) : int(lattice.end[word])]
    return SPELLED if lattice.word[word] == UNKNOWN and not FOREIGN.search(kana) else 1.0


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
