"""Change of sample rate that does not depend on how the samples arrive. Source: libsoxr, quality HQ."""

from __future__ import annotations

import numpy as np
import soxr

from uniasr.audio.arrays import check_rate
from uniasr.errors import AudioError
from uniasr.types import F32


class Resampler:
    """A stream of mono samples at one rate as a stream at another.

    The library is fed 10 ms at a time whatever the packets are, so equal samples give equal bits. Equal rates pass
    the samples on untouched. Raises AudioError for rates that make no sense.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz = check_rate(from_hz, "the audio")
        self.to_hz = check_rate(to_hz, "the wanted audio")
        self._block = self.from_hz // 100
        self._rest = np.zeros(0, np.float32)
        self._stream = (
            None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
        )
        self._ended = False

    def process(self, samples: F32, last: bool = False) -> F32:
        """Output samples that became ready: float32 [n], a few tens of milliseconds behind the input.

        Args:
            samples: [S] float32, the next samples; may be empty.
            last: no more will come; the rest comes out. Afterwards any call raises AudioError.
        """
        if self._ended:
            raise AudioError("this resampler's stream has ended; make a new one for other audio")
        self._ended = last
        samples = np.asarray(samples, np.float32)
        if self._stream is None:
            return samples
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) - len(waiting) % self._block
        self._rest = waiting[whole:].copy()
        pieces = [self._stream.resample_chunk(block) for block in waiting[:whole].reshape(-1, self._block)]
        if last:
            pieces.append(self._stream.resample_chunk(self._rest, last=True))
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def resample(samples: F32, from_hz: int, to_hz: int) -> F32:
    """Whole audio [S] at another rate: the concatenated output of a `Resampler`, about S * to_hz / from_hz samples."""
    return Resampler(from_hz, to_hz).process(samples, last=True)
