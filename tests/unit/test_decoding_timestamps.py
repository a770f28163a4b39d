"""Times of tokens from the weights of CIF."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.decoding.cif import integrate, start_cif
from uniasr.decoding.timestamps import LEAST_MS, PAUSE_MS, REACH_MS, middles, token_times

alphas = st.lists(st.one_of(st.just(0.0), st.integers(1, 64).map(lambda n: n / 64)), max_size=60)


def weighed(weights, cuts=()):
    """Firing positions and middles of rows with these weights, given in pieces."""
    carry, ends, found, start = start_cif(1), [], [], 0
    for end in [*sorted(cut for cut in cuts if cut <= len(weights)), len(weights)]:
        piece = np.array(weights[start:end], np.float32)
        after, firings = integrate(carry, piece, np.zeros((len(piece), 1), np.float32))
        ends += firings.ends.tolist()
        found += middles(carry, piece, firings)
        carry, start = after, end
    return np.array(ends), np.array(found)


def test_middles_are_where_half_of_the_weight_is():
    ends, found = weighed([0.25, 0.25, 0.25, 0.25, 0.0, 1.0, 0.5, 0.25])
    assert ends == pytest.approx([4, 6])
    assert found == pytest.approx([2, 5.5, 7])


@given(alphas, st.lists(st.integers(0, 60), max_size=4))
def test_each_token_has_a_middle_before_its_firing_wherever_the_rows_are_cut(weights, cuts):
    ends, found = weighed(weights, cuts)
    assert len(ends) <= len(found) <= len(ends) + 1
    assert found.tolist() == weighed(weights)[1].tolist()
    between = [position for pair in zip(found, ends, strict=False) for position in pair]
    assert between == sorted(between)


def test_tokens_run_from_firing_to_firing():
    times = token_times(np.array([2.5, 4.0]), np.array([1.5, 3.2]), 2, row_ms=60.0, num_rows=10)
    assert times == [(0, 150), (150, 240)]


def test_beside_a_pause_a_token_reaches_to_both_sides_of_its_middle():
    """Its weight is complete only when the next token speaks, or it begins long after the firing before."""
    ends, found = np.array([20.5, 21.0]), np.array([5.0, 20.8])
    reach = int(REACH_MS)
    assert token_times(ends, found, 2, row_ms=60.0, num_rows=30, offset_ms=1000) == [
        (1300 - reach, 1300 + reach),
        (2248 - reach, 2260),
    ]
    near = PAUSE_MS / 60.0
    assert token_times(np.array([2 * near]), np.array([near]), 1, row_ms=60.0, num_rows=9) == [(0, 400)]


def test_firing_of_the_end_mark_is_no_token():
    assert token_times(np.array([1.0, 2.0]), np.array([0.5, 1.5]), 1, row_ms=60.0, num_rows=9) == [(0, 60)]


def test_tokens_beyond_the_last_firing_end_with_the_last_row():
    times = token_times(np.array([2.0]), np.array([1.0]), 3, row_ms=60.0, num_rows=6, limit_ms=355)
    assert times == [(0, 120), (120, 345), (345, 355)]


def test_a_shift_moves_all_times_inside_the_segment():
    ends, found = np.array([2.0, 4.0]), np.array([1.0, 3.0])
    around = {"row_ms": 60.0, "num_rows": 4, "offset_ms": 600.0, "limit_ms": 840}
    assert token_times(ends, found, 2, shift_ms=40.0, **around) == [(600, 760), (760, 840)]
    assert token_times(ends, found, 2, shift_ms=-40.0, **around) == [(600, 680), (680, 800)]
    assert token_times(ends, found, 2, shift_ms=-400.0, **around) == [(600, 610), (610, 620)]


@given(
    alphas,
    st.integers(0, 60),
    st.integers(0, 3),
    st.sampled_from([10.0, 60.0, 120.0]),
    st.integers(-500, 500),
    st.integers(0, 60),
)
def test_monotone_within_limits_and_incremental(weights, cut, extra, row_ms, shift_ms, short):
    ends, found = weighed(weights)
    num_rows = len(weights)
    limit = 7 + max(0, int(num_rows * row_ms) - short)
    around = {"row_ms": row_ms, "num_rows": num_rows, "offset_ms": 7, "limit_ms": limit, "shift_ms": shift_ms}
    times = token_times(ends, found, len(ends) + extra, **around)
    flat = [time for pair in times for time in pair]
    assert all(isinstance(time, int) for time in flat)
    assert flat == sorted(flat)
    assert all(7 <= time <= limit for time in flat)
    if limit - 7 < LEAST_MS * len(times):
        return
    assert all(end - start >= LEAST_MS for start, end in times)
    cut = min(cut, len(ends))
    before = token_times(ends[:cut], found[:cut], cut, **around)
    room = limit - LEAST_MS * len(times)
    assert [pair for pair in before if pair[1] <= room] == [pair for pair in times[:cut] if pair[1] <= room]
