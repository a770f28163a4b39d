"""Other vocal tracts: mel frequencies stretched by a factor.

Source: Jaitly and Hinton 2013, Vocal tract length perturbation improves speech recognition.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.types import F32


def warps(n_mels: int, factors: Sequence[float] | F32) -> F32:
    """Matrices [N, n_mels, n_mels] that take mel energies to those of other vocal tracts, by linear interpolation.

    Frames [..., n_mels] times matrix i have in bin b what was in bin b * factors[i], in the last one beyond it.
    """
    bins = np.arange(n_mels, dtype=np.float32)
    places = np.minimum(bins * np.asarray(factors, np.float32)[:, np.newaxis], np.float32(n_mels - 1))
    weights: F32 = np.maximum(1 - np.abs(bins[:, np.newaxis] - places[:, np.newaxis]), np.float32(0))
    return weights


def warped(rows: F32, n_mels: int, factor: float) -> F32:
    """Stacked and normalised rows [R, m * n_mels] with every frame warped."""
    if factor == 1.0:
        return rows
    frames: F32 = rows.reshape(-1, n_mels) @ warps(n_mels, [factor])[0]
    return frames.reshape(rows.shape)
