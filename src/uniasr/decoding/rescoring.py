"""Hypotheses of a closed segment in a new order: a judge of whole texts sees what no step of the search could."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from uniasr.decoding.hypotheses import Ended, final_order
from uniasr.types import I64

Judge: TypeAlias = Callable[[I64], float]
"""The log-probability of a hypothesis by its tokens."""


@dataclass(frozen=True, slots=True)
class Rescoring:
    """Adds a weighted log-probability to the scores of ended hypotheses."""

    judge: Judge
    weight: float

    def ranked(self, ended: Sequence[Ended], length_norm: float) -> list[Ended]:
        """The hypotheses with their new scores, best first; ties keep their order."""
        judged = [replace(one, score=one.score + self.weight * self.judge(one.ids)) for one in ended]
        scores = np.array([one.score for one in judged], np.float64)
        lengths = np.array([len(one.ids) for one in judged], np.int64)
        return [judged[i] for i in final_order(scores, lengths, length_norm)]
