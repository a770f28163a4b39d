"""Alignment of what was said with what was recognised, error rates, and how certain they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from uniasr.errors import MissingExtraError

Kind: TypeAlias = Literal["equal", "replace", "delete", "insert"]

LEVEL, ROUNDS = 0.95, 1000
"""Share of an interval, and the samples that it is estimated from."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A unit of the reference beside what stands for it; one of both is empty in insertions and deletions."""

    kind: Kind
    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Errors against `length` units of the reference."""

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    length: int = 0

    @property
    def errors(self) -> int:
        """All of them."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors per unit of the reference; without a reference every unit is one error."""
        return self.errors / max(1, self.length)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.length + other.length,
        )


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """The fewest edits that turn the reference into the hypothesis, equal units included."""
    return list(_edits(reference, hypothesis))


def edit_finder() -> Callable[[Sequence[str], Sequence[str]], Any]:
    """What finds the fewest edits. Raises MissingExtraError where it is not installed."""
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MissingExtraError("error rates need rapidfuzz: pip install 'uniasr[train]'") from error
    return Levenshtein.opcodes


def _edits(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[Edit]:
    for part in edit_finder()(reference, hypothesis):
        said = reference[part.src_start : part.src_end]
        heard = hypothesis[part.dest_start : part.dest_end]
        for i in range(max(len(said), len(heard))):
            yield Edit(part.tag, said[i] if said else "", heard[i] if heard else "")


def count(edits: Sequence[Edit]) -> Counts:
    """Numbers of an alignment."""
    kinds = [edit.kind for edit in edits]
    inserted = kinds.count("insert")
    return Counts(kinds.count("replace"), inserted, kinds.count("delete"), len(kinds) - inserted)


def interval(counts: Sequence[Counts]) -> tuple[float, float]:
    """Bootstrap interval of the error rate over utterances: the percentiles of rates of samples with repetition.

    Source: Bisani and Ney 2004, Bootstrap estimates for confidence intervals in ASR performance evaluation.
    """
    if not counts:
        return 0.0, 0.0
    table = np.array([(one.errors, one.length) for one in counts], dtype=np.float64)
    random = np.random.default_rng(1)
    rates = np.empty(ROUNDS)
    for i in range(ROUNDS):
        errors, length = table[random.integers(len(table), size=len(table))].sum(axis=0)
        rates[i] = errors / max(1.0, length)
    low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
