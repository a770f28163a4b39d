"""Hypotheses of a closed segment in a new order: judges of whole texts see what no step of the search could."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from uniasr.decoding.hypotheses import Ended, final_order
from uniasr.types import F64, I64

Judge: TypeAlias = Callable[[Sequence[I64]], F64]
"""The log-probabilities [n] of n hypotheses by their tokens."""


@dataclass(frozen=True, slots=True)
class Rescoring:
    """A judge, and how much its log-probability counts."""

    judge: Judge
    weight: float


def rescored(ended: Sequence[Ended], rescorings: Sequence[Rescoring], length_norm: float) -> list[Ended]:
    """The hypotheses with what the judges add to their scores, best first; ties keep their order."""
    scores = np.array([one.score for one in ended], np.float64)
    for rescoring in rescorings:
        scores = scores + rescoring.weight * rescoring.judge([one.ids for one in ended])
    lengths = np.array([len(one.ids) for one in ended], np.int64)
    return [replace(ended[i], score=float(scores[i])) for i in final_order(scores, lengths, length_norm)]
