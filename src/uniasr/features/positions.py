"""Sinusoidal position codes in float64, so that a row's code is the same in a file, a stream and an export.

Source: funasr 1.4.16 funasr/models/transformer/embedding.py, SinusoidalPositionEncoder (float32 there).
"""

from __future__ import annotations

import numpy as np

from uniasr.types import F64


def position_codes(first: int, count: int, size: int) -> F64:
    """Codes [count, size] of rows first, first + 1, ... of a segment: all sines, then all cosines.

    Row r has the position t = r + 1; the frequencies fall from 1 to 1 / 10000 in size / 2 steps. `size` is even and
    at least 4.
    """
    if size < 4 or size % 2:
        raise ValueError(f"position codes of size {size}; the size must be even and at least 4")
    half = size // 2
    frequencies = np.exp(np.arange(half) * (-np.log(10_000.0) / (half - 1)))
    angles = np.arange(first + 1, first + count + 1, dtype=np.float64)[:, np.newaxis] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
