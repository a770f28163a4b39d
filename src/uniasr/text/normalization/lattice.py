"""The cheapest way to read a text as converted spans, protected words and single characters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uniasr.text.normalization.records import Piece

CHARACTER_COST = 1.0
"""Of a character that nothing covers. Candidates cost less than one character, so that the widest cover wins."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible reading of `source[start:end]`; without pieces the characters stay as they are."""

    start: int
    end: int
    cost: float
    pieces: tuple[Piece, ...] = ()


def cheapest(length: int, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates on the shortest path from 0 to `length`, in order.

    Linear in the length and the number of candidates; of two paths of equal cost the one whose last candidate came
    first in `candidates` is taken, so the result is a function of its arguments.
    """
    by_end: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        by_end.setdefault(candidate.end, []).append(candidate)
    cost = [0.0] * (length + 1)
    last: list[Candidate | None] = [None] * (length + 1)
    for end in range(1, length + 1):
        cost[end] = cost[end - 1] + CHARACTER_COST
        for candidate in by_end.get(end, ()):
            total = cost[candidate.start] + candidate.cost
            if total < cost[end]:
                cost[end], last[end] = total, candidate
    path: list[Candidate] = []
    at = length
    while at > 0:
        step = last[at]
        if step is not None:
            path.append(step)
        at = at - 1 if step is None else step.start
    return path[::-1]
