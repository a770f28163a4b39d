"""The best ways through a lattice, in order: a search backwards that the costs of the ways forwards lead (A*).

Exact for the costs of `search`, in which the word before the last one is always that of its best way.
Source: Nagata 1994, A stochastic Japanese morphological analyzer using a forward-DP backward-A* N-best search.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np

from uniasr.text.kana_kanji.lattice import Lattice
from uniasr.text.kana_kanji.search import Described, Ways, steps
from uniasr.text.kana_kanji.tables import Tables

Tail = tuple[int, "Tail | None"]
"""A word and what follows it."""


def alternatives(lattice: Lattice, words: Described, ways: Ways, tables: Tables) -> Iterator[tuple[float, list[int]]]:
    """Cost and words of each way, the cheapest first, without what stands before the text and its end."""
    last = len(lattice.start) - 1
    heap: list[tuple[float, int, float, Tail]] = [(float(ways.cost[last]), 0, 0.0, (last, None))]
    number = 0
    while heap:
        cost, _, behind, tail = heapq.heappop(heap)
        word = tail[0]
        if word == 0:
            yield cost, _words(tail)[1:-1]
            continue
        kept = ways.ending(int(lattice.start[word]))
        here = words.behind(np.array([word]))
        step, _ = steps(tables, words.before(kept), here, ways.middle[kept], ways.leaving[kept])
        extra = float(lattice.extra[word])
        for before, one in zip(kept.tolist(), step[:, 0].tolist(), strict=True):
            number += 1
            so_far = behind + one + extra
            heapq.heappush(heap, (so_far + float(ways.cost[before]), number, so_far, (before, tail)))


def _words(tail: Tail | None) -> list[int]:
    found = []
    while tail is not None:
        found.append(tail[0])
        tail = tail[1]
    return found
