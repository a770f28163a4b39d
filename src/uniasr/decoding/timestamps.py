"""From the weights of CIF to the times of tokens. The only place where rows become milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from uniasr.decoding.cif import CifCarry, Firings
from uniasr.types import F32, F64

HALF = 0.5
"""A token is where it has gathered this much weight: as far as can be from the integers near which drift decides."""
PAUSE_MS = 200.0
"""Speech pauses where a token's middle lies further than this from the firing before or from its own."""
REACH_MS = 110.0
"""A token beside a pause extends this far from its middle (about a mora)."""
LEAST_MS = 10
"""No token is shorter where there is room: a frame."""
ROOM_MS = 60.0
"""So near to the end of a segment tokens may make room for others: two before the last firing, three beyond it."""


def middles(carry: CifCarry, alphas: F32, firings: Firings) -> list[float]:
    """Where tokens gather half of their weight, in rows from row 0: one for each token that does so in these rows.

    Args:
        carry: CIF's carry before the rows.
        alphas: [R] weight of each row.
        firings: what `integrate` made of them.

    Joined over all calls, entry i belongs to token i; there are at least as many as firings, at most one more.
    """
    sums = np.cumsum(np.concatenate([[carry.weight], alphas]), dtype=np.float64)
    targets = np.concatenate([[0.0], np.floor(sums[firings.rows + 1])]) + HALF
    targets = targets[(targets > sums[0]) & (targets <= sums[-1])]
    at = np.searchsorted(sums[1:], targets)
    positions: list[float] = (carry.row + at + (targets - sums[at]) / alphas.astype(np.float64)[at]).tolist()
    return positions


def token_times(
    ends: F64,
    middles: F64,
    num_tokens: int,
    *,
    row_ms: float,
    num_rows: int,
    offset_ms: float = 0.0,
    limit_ms: int | None = None,
    shift_ms: float = 0.0,
) -> list[tuple[int, int]]:
    """Start and end of tokens, in whole milliseconds.

    Args:
        ends: [n] firing positions in rows of the segment (`Firings.ends`), ascending.
        middles: [n or n + 1] where the tokens have half of their weight, in the same unit.
        num_tokens: tokens asked for. Firings beyond them (that of `</s>`) are ignored; tokens beyond the last firing
            end with the last row, the first of them like the others if half of its weight is there.
        row_ms: audio per row.
        num_rows: rows of the segment; matters for tokens beyond the last firing only, hence at the end.
        offset_ms: time of row 0, that is the start of the segment. No token starts before it.
        limit_ms: end of the audio, None while it is not known; the last row may reach beyond it.
        shift_ms: how much later than its firings a model's speech is (`UniasrConfig.time_shift_ms`).

    Returns:
        One (start, end) per token, in order, with LEAST_MS for each if they fit in (`with_lengths`). Token i ends at
        firing i, and starts where token i - 1 ends. Where the firing before lies more than PAUSE_MS before its middle,
        it starts REACH_MS before the middle; where it fires more than PAUSE_MS behind its middle, it ends REACH_MS
        behind that: the last bit of its weight came with the token after a pause. So its times depend on no later
        firing, but in the last ROOM_MS.
    """

    def milliseconds(position: float) -> int:
        time = math.floor(max(offset_ms, offset_ms + position * row_ms + shift_ms) + 0.5)
        return time if limit_ms is None else min(time, limit_ms)

    pause, reach = PAUSE_MS / row_ms, REACH_MS / row_ms
    times, previous_end = [], -shift_ms / row_ms
    for i in range(num_tokens):
        start = previous_end
        end = max(previous_end, float(ends[i] if i < len(ends) else num_rows))
        if i < len(middles):
            middle = float(middles[i])
            if middle - start > pause:
                start = middle - reach
            if end - middle > pause:
                end = middle + reach
        times.append((milliseconds(start), milliseconds(end)))
        previous_end = end
    return with_lengths(times, milliseconds(-math.inf), limit_ms)


def with_lengths(times: Sequence[tuple[int, int]], first_ms: int, limit_ms: int | None) -> list[tuple[int, int]]:
    """The same ascending times, moved so that each lasts LEAST_MS at least between `first_ms` and the limit, if any.

    What is too short ends later; only what does not fit in before the limit begins earlier. Where there is no room for
    all, they stay as they are.
    """
    if limit_ms is not None and limit_ms - first_ms < LEAST_MS * len(times):
        return list(times)
    moved: list[tuple[int, int]] = []
    at = first_ms
    for start, end in times:
        start = max(start, at)
        at = max(end, start + LEAST_MS)
        moved.append((start, at))
    for i in reversed(range(len(moved))):
        if limit_ms is None or moved[i][1] <= limit_ms:
            break
        moved[i] = (min(moved[i][0], limit_ms - LEAST_MS), limit_ms)
        limit_ms = moved[i][0]
    return moved
