"""What a large language model thought of commas in the training sentences, and how it goes together with the teacher.

`readings.tsv.xz` has a line for each sentence that a reader saw: its line in `train.tsv.xz` (from 0), the reader, and
for each place in question, the number of words before it, a chance in tenths. A reader is one conversation: it saw
405 other sentences as they were written, then these without commas, with their ends and sources. Some read with more
care than others, so how much each one counts is fitted to the commas that were written, on three quarters of the
sentences at a time.
"""

from __future__ import annotations

import csv
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

TABLE = Path(__file__).parent / "readings.tsv.xz"
FOLDS = 4
PRIOR = 1.0
"""Weight of the squares of the coefficients."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Readings:
    """Digits [N, M] and readers [N, M] of N places, -1 where there is none: at most M readers saw a place."""

    digits: Integers
    readers: Integers


def read(sentences: Sequence[int], ends: Sequence[int], table: Path = TABLE) -> Readings:
    """The readings of places: the number of the sentence and of the words before each."""
    place = {key: i for i, key in enumerate(zip(sentences, ends, strict=True))}
    found: list[list[tuple[int, int]]] = [[] for _ in sentences]
    with lzma.open(table, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            for pair in row["places"].split():
                end, _, digit = pair.partition(":")
                found[place[int(row["line"]), int(end)]].append((int(digit), int(row["reader"])))
    most = max(map(len, found))
    rows = np.array([own + [(-1, -1)] * (most - len(own)) for own in found])
    return Readings(rows[..., 0], rows[..., 1])


def combined(
    readings: Readings, chances: Floats, sentences: Integers, sources: Integers, commas: npt.NDArray[np.bool_]
) -> Floats:
    """Chance of a comma at each place: the teacher's where nobody read the sentence, else one that was fitted.

    Args:
        readings: of N places.
        chances: [N] of the teacher.
        sentences: [N] number of the sentence.
        sources: [N] number of its source.
        commas: [N] whether one was written.
    """
    read_at_all = np.unique(sentences[(readings.digits >= 0).any(axis=1)])
    chosen = np.flatnonzero(np.isin(sentences, read_at_all))
    features = _features(Readings(readings.digits[chosen], readings.readers[chosen]), chances[chosen], sources[chosen])
    fold, wanted = sentences[chosen] * 7919 % FOLDS, commas[chosen].astype(np.float64)
    result = chances.copy()
    for one in range(FOLDS):
        weights = _fit(features[fold != one], wanted[fold != one])
        result[chosen[fold == one]] = 1 / (1 + np.exp(-features[fold == one] @ weights))
    return result


def _features(readings: Readings, chances: Floats, sources: Integers) -> Floats:
    """Rows [N, features]: log-odds of the teacher and of each reader, by source, reader and number of readings."""
    digits, readers = readings.digits, readings.readers
    places, kinds = np.arange(len(chances)), int(readers.max()) + 1
    seen = digits >= 0
    odds = np.where(
        seen, np.log((digits + 0.5) / (10.0 - np.minimum(digits, 9.4) + 0.5), where=seen, out=0.0 * digits), 0
    )
    own = np.zeros((3, len(chances), kinds))
    for column in range(digits.shape[1]):
        at = places[seen[:, column]]
        reader = readers[at, column]
        own[0, at, reader], own[1, at, reader], own[2, at, reader] = odds[at, column], 1, digits[at, column] == 0
    number = seen.sum(axis=1)
    teacher = np.log((chances + 1e-4) / (1 - chances + 1e-4))[:, None]
    total, mean = odds.sum(axis=1)[:, None], (odds.sum(axis=1) / np.maximum(number, 1))[:, None]
    source, count = np.eye(int(sources.max()) + 1)[sources], np.eye(digits.shape[1] + 1)[number]
    parts = [source * teacher, source, *own, count * teacher, count, count * total, source * mean, mean * teacher]
    return np.concatenate(parts, axis=1)


def _fit(features: Floats, wanted: Floats) -> Floats:
    """Coefficients of a logistic regression."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = features @ weights
        errors = 1 / (1 + np.exp(-scores)) - wanted
        value = np.sum(np.logaddexp(0, scores) - wanted * scores) + PRIOR * weights @ weights / 2
        return value, features.T @ errors + PRIOR * weights

    return minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x
