"""Low frame rate: m neighbouring frames become one row, every n-th frame.

Source: funasr 1.4.16 funasr/frontends/wav_frontend.py, apply_lfr.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.types import F32


@dataclass(frozen=True, slots=True, eq=False)
class LfrCarry:
    """What is left between two steps."""

    frames: F32
    """[fewer than m + n, n_mels] frames that rows to come need; before the first one stand its repetitions."""
    skip: int = 0
    """Frames to come that no row needs (only if n > m)."""
    started: bool = False
    """Whether there has been a frame."""


@dataclass(frozen=True, slots=True)
class Lfr:
    """Row i holds frames i * n - (m - 1) // 2 and the m - 1 after it; T frames make ceil(T / n) rows.

    Beyond the ends the first and the last frame are repeated.
    """

    m: int
    n: int

    @property
    def left(self) -> int:
        """Frames of a row before frame i * n."""
        return (self.m - 1) // 2

    def start(self, n_mels: int) -> LfrCarry:
        """Carry before the first frame."""
        return LfrCarry(np.zeros((0, n_mels), np.float32))

    def missing(self, carry: LfrCarry) -> int:
        """Frames that must still come before the next row is complete, if the end is not known."""
        if not carry.started:
            return self.m - self.left
        return self.m + carry.skip - len(carry.frames)

    def step(self, carry: LfrCarry, frames: F32, last: bool) -> tuple[LfrCarry, F32]:
        """Rows [R, m * n_mels] that frames [T, n_mels] complete, and with `last` those that the end completes."""
        started = carry.started or len(frames) > 0
        before = np.repeat(frames[:1], self.left, axis=0) if started and not carry.started else carry.frames
        buffer = np.concatenate([before, frames])
        drop = min(carry.skip, len(buffer))
        buffer, skip = buffer[drop:], carry.skip - drop
        count = max(0, -(-(len(buffer) - self.left) // self.n) if last else (len(buffer) - self.m) // self.n + 1)
        index = np.arange(count)[:, np.newaxis] * self.n + np.arange(self.m)
        rows = buffer[np.minimum(index, len(buffer) - 1)].reshape(count, -1) if count else _no_rows(self.m, frames)
        drop = min(count * self.n, len(buffer))
        return LfrCarry(buffer[drop:].copy(), skip + count * self.n - drop, started), rows


def _no_rows(m: int, frames: F32) -> F32:
    return np.zeros((0, m * frames.shape[1]), np.float32)
