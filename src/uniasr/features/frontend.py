"""The front end as one step: samples in, normalised feature rows out, the unfinished rest in a carry.

A file is one step with `last`; a stream is many. The rows are the same to the bit however the samples are cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import ModelError
from uniasr.features.cmvn import Cmvn
from uniasr.features.fbank import Fbank
from uniasr.features.lfr import Lfr, LfrCarry
from uniasr.types import F32

_BLOCK_S = 10
"""Audio that is worked on at once, so that a long file needs no second copy of itself."""


@dataclass(frozen=True, slots=True, eq=False)
class FrontEndCarry:
    """What is left between two steps: less than one row's samples and frames."""

    samples: F32
    """[less than a row and a window] samples whose windows have not been computed."""
    lfr: LfrCarry


class FrontEnd:
    """Filter bank, low frame rate and normalisation of one model; immutable, so that any number of streams share it.

    Raises ModelError if the normalisation does not have one value per feature or the configuration cannot work.
    """

    def __init__(self, config: FrontendConfig, cmvn: Cmvn | None = None) -> None:
        if cmvn is not None and len(cmvn.shift) != config.feature_size:
            raise ModelError(
                f"CMVN has {len(cmvn.shift)} values and the front end makes {config.feature_size} "
                f"({config.n_mels} mels x {config.lfr_m} frames); they belong to different models"
            )
        self.config = config
        self._fbank = Fbank(config)
        self._lfr = Lfr(config.lfr_m, config.lfr_n)
        self._cmvn = cmvn

    def start(self) -> FrontEndCarry:
        """Carry before the first sample."""
        return FrontEndCarry(np.zeros(0, np.float32), self._lfr.start(self.config.n_mels))

    def step(self, carry: FrontEndCarry, samples: F32, last: bool) -> tuple[FrontEndCarry, F32]:
        """Rows that these samples complete.

        Args:
            carry: what `start` or the previous step returned.
            samples: [S] float32 in [-1, 1] at the configuration's rate; may be empty.
            last: no samples follow; rows whose right neighbours never come repeat the last frame.

        Returns:
            The carry for the next step (after `last`: that of a new stream), and rows [R, feature_size] float32.

        Row i is complete with frame i * lfr_n + lfr_m - 1 - (lfr_m - 1) // 2. Input shorter than one window gives one
        row, empty input none.
        """
        block = _BLOCK_S * self.config.sample_rate_hz
        rows = []
        for at in range(0, max(1, len(samples)), block):
            carry, more = self._advance(carry, samples[at : at + block], last and at + block >= len(samples))
            rows.append(more)
        return self.start() if last else carry, np.concatenate(rows)

    def _advance(self, carry: FrontEndCarry, samples: F32, last: bool) -> tuple[FrontEndCarry, F32]:
        unread = np.concatenate([carry.samples, samples])
        count = self._fbank.count(len(unread))
        if not last and count < self._lfr.missing(carry.lfr):
            # Frames wait until they complete a row: one call of the filter bank for six of them costs as one for one.
            return FrontEndCarry(unread, carry.lfr), np.zeros((0, self.config.feature_size), np.float32)
        too_short = count == 0 and not carry.lfr.started
        frames = self._fbank.short_frame(unread) if too_short else self._fbank.frames(unread)
        lfr, rows = self._lfr.step(carry.lfr, frames, last)
        rest = unread[count * self.config.hop_samples :].copy()
        return FrontEndCarry(rest, lfr), rows if self._cmvn is None else self._cmvn.apply(rows)
