"""What a CTC head says of texts: the sum over all alignments of their tokens with the rows.

Source: Graves and others 2006, Connectionist temporal classification, section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.types import F32, F64, I64

BLANK = 0
IMPOSSIBLE = -1e30
"""Stands for the logarithm of 0, with which differences stay numbers."""
REACH = 32
"""Rows that a token may be from where it fired (2 s of `ja`). In 100 noisy recordings no sum changed by a bit."""


def log_probabilities(rows: F32, texts: Sequence[I64], near: F64 | None = None) -> F64:
    """The log-probabilities [N] of N texts. Together or one by one, they are the same.

    Args:
        rows: [T, V] log-probabilities of all tokens at each row, blank at 0; T >= 1.
        texts: [n] tokens each, without marks; of one that needs more rows than there are, it is IMPOSSIBLE or below.
        near: [tokens], ascending: at about which row the first, second, ... token of any text is. Alignments with a
            token more than REACH rows away do not count, so that work grows with the rows alone. None counts all.
    """
    lengths = np.array([len(ids) for ids in texts], np.int64)
    labels = np.full((len(texts), 2 * lengths.max(initial=0) + 1), BLANK, np.int64)
    for own, ids in zip(labels, texts, strict=True):
        own[1 : 2 * len(ids) : 2] = ids
    # A token may follow the one before without a blank between them, unless it is the same.
    leap = np.full(labels.shape, IMPOSSIBLE)
    leap[:, 1:2] = 0.0
    leap[:, 3::2][labels[:, 3::2] != labels[:, 1:-2:2]] = 0.0
    # In front of the states of the labels lie one that is never reached and the one before the first row.
    paths = np.full((len(texts), labels.shape[1] + 2), IMPOSSIBLE)
    paths[:, 1] = 0.0
    every, last = np.arange(len(texts)), np.where(lengths, 2 * lengths + 1, 0)  # the state of the last token
    complete = np.where(lengths, IMPOSSIBLE, 0.0)  # with blanks behind it
    for row, begin, end in zip(rows, *_bands(len(rows), labels.shape[1] // 2, near), strict=True):
        complete = np.logaddexp(complete, paths[every, last]) + row[BLANK]
        two_before, before, states = (paths[:, begin + i : end + i] for i in range(3))
        follow = np.logaddexp(np.logaddexp(states, before), two_before + leap[:, begin:end])
        states[:] = follow + row[labels[:, begin:end]]
        paths[:, : begin + 2] = IMPOSSIBLE  # what the band has left behind
    ends: F64 = np.logaddexp(complete, paths[every, last])
    return ends


def _bands(num_rows: int, longest: int, near: F64 | None) -> tuple[list[int], list[int]]:
    """From which to before which state a path may be at each row [T] that has tokens to come."""
    if near is None:
        return [0] * num_rows, [2 * longest + 1] * num_rows
    row = np.arange(num_rows)
    expected = np.full(longest, num_rows - 1.0)
    expected[: len(near)] = np.minimum(near[:longest], num_rows - 1)
    begin = 2 * np.searchsorted(expected, row - REACH)
    end = 2 * np.searchsorted(expected, row + REACH, side="right") + 1
    return begin.tolist(), end.tolist()


def evidence(rows: F32, ids: I64, near: F64 | None = None) -> float:
    """By how much the text is more probable than none at all, as a difference of logarithms; arguments as above."""
    return float(log_probabilities(rows, [ids], near)[0]) - float(rows[:, BLANK].sum(dtype=np.float64))
