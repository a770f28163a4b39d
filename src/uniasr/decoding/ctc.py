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


def log_probabilities(rows: F32, texts: Sequence[I64]) -> F64:
    """The log-probabilities [N] of N texts. Together or one by one, they are the same.

    Args:
        rows: [T, V] log-probabilities of all tokens at each row, blank at 0; T >= 1.
        texts: [n] tokens each, without marks; of one that needs more rows than there are, it is IMPOSSIBLE or below.
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
    two_before, before, states = paths[:, :-2], paths[:, 1:-1], paths[:, 2:]
    for row in rows:
        states[:] = np.logaddexp(np.logaddexp(states, before), two_before + leap) + row[labels]
        paths[:, 1] = IMPOSSIBLE
    every, last = np.arange(len(texts)), 2 * lengths + 2  # the blank behind the last token
    ends: F64 = np.logaddexp(paths[every, last], paths[every, last - 1])
    return ends


def evidence(rows: F32, ids: I64) -> float:
    """By how much the text is more probable than none at all, as a difference of logarithms; arguments as above."""
    return float(log_probabilities(rows, [ids])[0]) - float(rows[:, BLANK].sum(dtype=np.float64))
