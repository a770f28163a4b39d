"""From firing positions to the times of tokens. The only place where rows become milliseconds."""

from __future__ import annotations

import math

from uniasr.types import F64

PAUSE_MS = 200.0
"""A token that begins later than this after the firing before it does not start at that firing."""


def token_times(
    ends: F64,
    onsets: F64,
    num_tokens: int,
    *,
    row_ms: float,
    num_rows: int,
    offset_ms: float = 0.0,
    limit_ms: int | None = None,
    previous_end: float = 0.0,
) -> list[tuple[int, int]]:
    """Start and end of tokens, in whole milliseconds.

    Args:
        ends: [n] firing positions in rows of the segment (`Firings.ends`), ascending.
        onsets: [n] where the tokens begin, in the same unit (`Firings.onsets`).
        num_tokens: tokens asked for. Firings beyond them (that of `</s>`) are ignored; tokens beyond the last firing
            end with the last row.
        row_ms: audio per row.
        num_rows: rows of the segment; matters for tokens beyond the last firing only, hence at the end.
        offset_ms: time of row 0, that is the start of the segment.
        limit_ms: end of the audio, None while it is not known; the last row may reach beyond it.
        previous_end: firing before `ends[0]` in rows, to go on from where an earlier call stopped.

    Returns:
        One (start, end) per token: start <= end <= start of the next. Token i ends at firing i. It starts at firing
        i - 1, or at its onset if that comes more than `PAUSE_MS` later. So its times depend on no later firing.
    """

    def milliseconds(position: float) -> int:
        time = math.floor(offset_ms + position * row_ms + 0.5)
        return time if limit_ms is None else min(time, limit_ms)

    times = []
    for i in range(num_tokens):
        start, end = previous_end, float(num_rows)
        if i < len(ends):
            end = float(ends[i])
            if (onsets[i] - start) * row_ms > PAUSE_MS:
                start = float(onsets[i])
        times.append((milliseconds(start), milliseconds(end)))
        previous_end = end
    return times
