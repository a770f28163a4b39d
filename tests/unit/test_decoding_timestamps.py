"""Times of tokens from firing positions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from uniasr.decoding.timestamps import token_times


def test_tokens_run_from_firing_to_firing():
    times = token_times(np.array([2.5, 4.0]), np.array([0.5, 3.0]), 2, row_ms=60.0, num_rows=10)
    assert times == [(0, 150), (150, 240)]


def test_start_moves_to_an_onset_after_a_pause():
    ends, onsets = np.array([5.0, 20.0]), np.array([3.5, 15.0])
    assert token_times(ends, onsets, 2, row_ms=60.0, num_rows=30, offset_ms=1000) == [(1210, 1300), (1900, 2200)]
    assert token_times(ends, np.array([3.3, 8.3]), 2, row_ms=60.0, num_rows=30) == [(0, 300), (300, 1200)]


def test_firing_of_the_end_mark_is_no_token():
    assert token_times(np.array([1.0, 2.0]), np.array([0.0, 1.0]), 1, row_ms=60.0, num_rows=9) == [(0, 60)]


def test_tokens_beyond_the_last_firing_end_with_the_last_row():
    times = token_times(np.array([2.0]), np.array([0.0]), 3, row_ms=60.0, num_rows=6, limit_ms=355)
    assert times == [(0, 120), (120, 355), (355, 355)]


@given(
    gaps=st.lists(st.tuples(st.floats(0, 20), st.floats(0, 1)), max_size=12),
    cut=st.integers(0, 12),
    extra=st.integers(0, 3),
    row_ms=st.sampled_from([10.0, 60.0, 120.0]),
    short=st.integers(0, 60),
)
def test_monotone_within_limits_and_incremental(gaps, cut, extra, row_ms, short):
    ends = np.cumsum([gap for gap, _ in gaps])
    onsets = np.array([end - gap * part for end, (gap, part) in zip(ends, gaps, strict=True)])
    num_rows = int(np.ceil(ends[-1])) if len(ends) else 1
    limit = max(0, int(num_rows * row_ms) - short)
    whole = {"row_ms": row_ms, "num_rows": num_rows, "offset_ms": 7, "limit_ms": limit}
    times = token_times(ends, onsets, len(ends) + extra, **whole)
    flat = [time for pair in times for time in pair]
    assert all(isinstance(time, int) for time in flat)
    assert flat == sorted(flat)
    assert all(0 <= time <= limit for time in flat)

    cut = min(cut, len(ends))
    before = token_times(ends[:cut], onsets[:cut], cut, **whole)
    previous = float(ends[cut - 1]) if cut else 0.0
    after = token_times(ends[cut:], onsets[cut:], len(ends) - cut + extra, previous_end=previous, **whole)
    assert before + after == times
