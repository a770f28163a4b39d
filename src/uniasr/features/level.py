"""Level of every analysis window in decibels, of the samples as they are: no weighting, no window function.

Source: funasr 1.4.16 funasr/models/fsmn_vad_streaming/model.py, ComputeDecibel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.configs.frontend import FrontendConfig
from uniasr.types import F32, F64

_FLOOR = 1e-6
"""Added to the energy: digital silence has -60 dB."""


@dataclass(frozen=True, slots=True, eq=False)
class LevelCarry:
    """What is left between two steps."""

    samples: F32
    """[less than a window] samples whose windows are not complete."""


def start_levels() -> LevelCarry:
    """Carry before the first sample."""
    return LevelCarry(np.zeros(0, np.float32))


def levels(config: FrontendConfig, carry: LevelCarry, samples: F32) -> tuple[LevelCarry, F64]:
    """10 log10 of the energy of the windows [T] that these samples [S] complete, and the carry for the next step.

    A window's level depends on its samples only, to the bit, however they are cut.
    """
    unread = np.concatenate([carry.samples, samples])
    count = max(0, (len(unread) - config.frame_samples) // config.hop_samples + 1)
    if not count:
        return LevelCarry(unread), np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(unread, config.frame_samples)[:: config.hop_samples]
    energies = np.square(windows, dtype=np.float64).sum(axis=1)
    return LevelCarry(unread[count * config.hop_samples :].copy()), 10 * np.log10(energies + _FLOOR)
