"""What a CTC head says of a text: the sum over all alignments of its tokens with the rows.

Source: Graves and others 2006, Connectionist temporal classification, section 4.1.
"""

from __future__ import annotations

import numpy as np

from uniasr.types import F32, I64

BLANK = 0
IMPOSSIBLE = -1e30
"""Stands for the logarithm of 0, with which differences stay numbers."""


def log_probability(rows: F32, ids: I64) -> float:
    """The log-probability of a text.

    Args:
        rows: [T, V] log-probabilities of all tokens at each row, blank at 0; T >= 1.
        ids: [n] tokens without marks; if they need more rows than there are, the result is IMPOSSIBLE or below.
    """
    labels = np.full(2 * len(ids) + 1, BLANK, np.int64)
    labels[1::2] = ids
    # A token may follow the one before without a blank between them, unless it is the same.
    leap = np.full(len(labels), IMPOSSIBLE)
    leap[1:2] = 0.0
    leap[3::2][labels[3::2] != labels[1:-2:2]] = 0.0
    # In front of the states of the labels lie one that is never reached and the one before the first row.
    paths = np.full(len(labels) + 2, IMPOSSIBLE)
    paths[1] = 0.0
    two_before, before, states = paths[:-2], paths[1:-1], paths[2:]
    for row in rows:
        states[:] = np.logaddexp(np.logaddexp(states, before), two_before + leap) + row[labels]
        paths[1] = IMPOSSIBLE
    return float(np.logaddexp.reduce(states[-2:]))


def evidence(rows: F32, ids: I64) -> float:
    """By how much the text is more probable than none at all, as a difference of logarithms; arguments as above."""
    return log_probability(rows, ids) - float(rows[:, BLANK].sum(dtype=np.float64))
