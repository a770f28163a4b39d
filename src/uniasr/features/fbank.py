"""Log mel energies of 25 ms windows every 10 ms. Stacking and normalisation are done elsewhere.

Source: Kaldi's compute-fbank-feats; window shorter than usual: funasr 1.4.16 funasr/frontends/wav_frontend.py. All is
float64 inside, and no sum depends on how many frames are computed together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import ModelError
from uniasr.types import F32, F64

_LOWEST_HZ = 20.0
_PREEMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)
_FULL_SCALE = 32768.0
_TOGETHER = 100
"""Frames whose intermediate values stay in a processor's cache."""
_WINDOWS: dict[str, Callable[[F64], F64]] = {
    "hamming": lambda t: 0.54 - 0.46 * np.cos(2 * np.pi * t),
    "hanning": lambda t: 0.5 - 0.5 * np.cos(2 * np.pi * t),
    "povey": lambda t: (0.5 - 0.5 * np.cos(2 * np.pi * t)) ** 0.85,
    "rectangular": np.ones_like,
}
"""Windows over t from 0 to 1."""


class Fbank:
    """The filter bank of one configuration; holds no samples. Raises ModelError if the configuration cannot work."""

    def __init__(self, config: FrontendConfig) -> None:
        self.config = config
        if config.window not in _WINDOWS:
            raise ModelError(f"frontend window is {config.window!r:.80}; known are {', '.join(_WINDOWS)}")
        if not 0 < config.hop_samples <= config.frame_samples:
            raise ModelError(
                f"frontend frame_shift_ms {config.frame_shift_ms} must be at most frame_length_ms "
                f"{config.frame_length_ms}, and at least one sample"
            )
        self._analysis = _Analysis.of(config, config.frame_samples)
        if config.n_mels > self._analysis.fft_size // 2:
            raise ModelError(
                f"frontend n_mels {config.n_mels} does not fit {config.sample_rate_hz} Hz and windows of "
                f"{config.frame_length_ms} ms: their Fourier transform has {self._analysis.fft_size // 2} frequencies"
            )

    def count(self, num_samples: int) -> int:
        """Windows that lie wholly within so many samples."""
        config = self.config
        return max(0, (num_samples - config.frame_samples) // config.hop_samples + 1)

    def frames(self, samples: F32) -> F32:
        """Log mel energies [T, n_mels] of the T whole windows in samples [S], which lie in [-1, 1].

        A frame depends on the samples of its window only, to the bit, wherever the window stands in the block.
        """
        rows = np.empty((self.count(len(samples)), self.config.n_mels), np.float32)
        if len(rows):
            windows = np.lib.stride_tricks.sliding_window_view(samples, self.config.frame_samples)
            windows = windows[:: self.config.hop_samples]
            for start in range(0, len(rows), _TOGETHER):
                part = slice(start, start + _TOGETHER)
                rows[part] = self._analysis.log_energies(windows[part])
        return rows

    def short_frame(self, samples: F32) -> F32:
        """One frame [1, n_mels] for a whole input [S] that is shorter than a window; no frame if it is empty.

        The window and its Fourier transform shrink to the input.
        """
        if len(samples) == 0:
            return np.zeros((0, self.config.n_mels), np.float32)
        return _Analysis.of(self.config, len(samples)).log_energies(samples[np.newaxis])


@dataclass(frozen=True, slots=True, eq=False)
class _Analysis:
    """From windows of one size to log mel energies.

    A filter that is so narrow that no frequency falls into it gives the floor, as in the reference.
    """

    window: F64
    """[S] values that the samples are multiplied by."""
    fft_size: int
    frequencies: npt.NDArray[np.intp]
    """[W] those of the first filter, of the second, ...; neighbouring filters share some."""
    weights: F64
    """[W] the filters' values there."""
    starts: npt.NDArray[np.intp]
    """[n_mels] where each filter's entries begin."""

    @staticmethod
    def of(config: FrontendConfig, size: int) -> _Analysis:
        """For windows of `size` samples."""
        fft_size = max(2, 1 << (size - 1).bit_length())
        filters = _mel_filters(config, fft_size)
        inside = filters > 0
        inside[~inside.any(axis=1), 0] = True  # each has an entry, if only one of weight 0
        which, frequencies = np.nonzero(inside)
        starts = np.searchsorted(which, np.arange(config.n_mels))
        window = _WINDOWS[config.window](np.arange(size) / max(1, size - 1))
        return _Analysis(window, fft_size, frequencies, filters[which, frequencies], starts)

    def log_energies(self, windows: F32) -> F32:
        """[T, S] samples in [-1, 1] -> [T, n_mels]."""
        x = windows.astype(np.float64)
        x *= _FULL_SCALE
        x -= x.mean(axis=1, keepdims=True)
        x[:, 1:] -= _PREEMPHASIS * x[:, :-1]
        x[:, 0] *= 1 - _PREEMPHASIS
        x *= self.window
        spectrum = np.fft.rfft(x, self.fft_size)
        power = spectrum.real**2 + spectrum.imag**2
        energies = np.add.reduceat(power[:, self.frequencies] * self.weights, self.starts, axis=1)
        return np.log(np.maximum(energies, _FLOOR)).astype(np.float32)


def _mel(hz: npt.NDArray[np.floating]) -> F64:
    return np.asarray(1127.0 * np.log1p(hz / 700.0), np.float64)


def _mel_filters(config: FrontendConfig, fft_size: int) -> F64:
    """Triangles [n_mels, fft_size / 2], equally spaced on the mel axis from 20 Hz to half the sample rate."""
    lowest, highest = _mel(np.array([_LOWEST_HZ, config.sample_rate_hz / 2]))
    edges = np.linspace(lowest, highest, config.n_mels + 2)
    left, centre, right = edges[:-2, np.newaxis], edges[1:-1, np.newaxis], edges[2:, np.newaxis]
    bins = _mel(np.arange(fft_size // 2) * (config.sample_rate_hz / fft_size))
    triangles = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    return np.asarray(np.maximum(triangles, 0.0))
