"""CIF against the rule written as a loop over rows, on weights that floating point adds without error."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.decoding.cif import integrate, start_cif

UNIT = 64


def loop(weights):
    """Firing rows with the fraction used, summands (row, weight) per token, and what is left, in units of 1 / UNIT."""
    fires, tokens = [], []
    held, parts = 0, []
    for row, weight in enumerate(weights):
        start = held
        held += weight
        if held < UNIT:
            parts.append((row, weight))
            continue
        fires.append((row, (UNIT - start) / weight))
        rest = held % UNIT
        tokens.append([*parts, (row, weight - rest)])
        held, parts = rest, [(row, rest)]
    return fires, tokens, held


@given(
    weights=st.lists(st.integers(0, UNIT + 12), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    seed=st.integers(0, 99),
)
def test_equals_the_loop(weights, cuts, seed):
    rows = np.random.default_rng(seed).integers(-8, 9, (len(weights), 3)).astype(np.float32)
    alphas = np.array(weights, np.float32) / np.float32(UNIT)
    bounds = [0, *sorted(min(cut, len(weights)) for cut in cuts), len(weights)]
    carry, calls = start_cif(3), []
    for start, stop in pairwise(bounds):
        carry, firings = integrate(carry, alphas[start:stop], rows[start:stop])
        calls.append((start, firings))
    fires, tokens, held = loop(weights)

    assert [start + row for start, firings in calls for row in firings.rows] == [row for row, _ in fires]
    ends = [end for _, firings in calls for end in firings.ends]
    assert ends == pytest.approx([row + fraction for row, fraction in fires])
    assert all(row < end <= row + 1 for (row, _), end in zip(fires, ends, strict=True))
    expected = [sum(weight * rows[row] for row, weight in token) / UNIT for token in tokens]
    embeddings = [embedding for _, firings in calls for embedding in firings.embeddings]
    np.testing.assert_array_equal(np.reshape(embeddings, (-1, 3)), np.reshape(expected, (-1, 3)))
    assert (carry.fired, carry.row, carry.weight) == (len(fires), len(weights), held / UNIT)


@given(st.lists(st.floats(0, 1, width=32), max_size=60), st.integers(1, 20))
def test_counts_and_order_hold_for_any_weights(weights, size):
    alphas = np.array(weights, np.float32)
    carry = start_cif(1)
    ends = []
    for start in range(0, len(alphas), size):
        part = alphas[start : start + size]
        carry, firings = integrate(carry, part, np.ones((len(part), 1), np.float32))
        np.testing.assert_allclose(firings.embeddings, 1.0, atol=1e-6)
        ends.extend(firings.ends)
    assert 0 <= carry.weight < 1
    assert carry.fired + carry.weight == pytest.approx(alphas.sum(dtype=np.float64), abs=1e-9)
    assert ends == sorted(ends)
