"""Log mel energies of 25 ms windows every 10 ms. Stacking and normalisation are done elsewhere.

Source: Kaldi's compute-fbank-feats, through kaldi-native-fbank; window shorter than usual: funasr 1.4.16
funasr/frontends/wav_frontend.py.
"""

from __future__ import annotations

from collections.abc import Callable

import kaldi_native_fbank
import numpy as np
import numpy.typing as npt

from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import ModelError
from uniasr.types import F32, F64

_LOWEST_HZ = 20.0
_PREEMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)
_FULL_SCALE = np.float32(32768.0)
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
            raise ModelError(f"frontend window is {config.window!r}; known are {', '.join(_WINDOWS)}")
        if not 0 < config.hop_samples <= config.frame_samples:
            raise ModelError(
                f"frontend frame_shift_ms {config.frame_shift_ms} must be at most frame_length_ms "
                f"{config.frame_length_ms}, and at least one sample"
            )
        self._options = _kaldi_options(config)
        try:
            kaldi_native_fbank.OnlineFbank(self._options)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"frontend n_mels {config.n_mels} does not fit {config.sample_rate_hz} Hz and windows of "
                f"{config.frame_length_ms} ms: {error}"
            ) from error

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
            bank = kaldi_native_fbank.OnlineFbank(self._options)
            bank.accept_waveform(self.config.sample_rate_hz, samples * _FULL_SCALE)
            for index in range(len(rows)):
                rows[index] = bank.get_frame(index)
        return rows

    def short_frame(self, samples: F32) -> F32:
        """One frame [1, n_mels] for a whole input [S] that is shorter than a window; no frame if it is empty.

        The window and its Fourier transform shrink to the input. Kaldi's code refuses mel filters that are so narrow
        that no frequency falls into them; here, as in the reference, they give the floor.
        """
        size = len(samples)
        if size == 0:
            return np.zeros((0, self.config.n_mels), np.float32)
        x = samples.astype(np.float64) * float(_FULL_SCALE)
        x -= x.mean()
        x -= _PREEMPHASIS * np.concatenate([x[:1], x[:-1]])
        x *= _WINDOWS[self.config.window](np.arange(size) / max(1, size - 1))
        fft_size = 1 << (size - 1).bit_length()
        power = np.abs(np.fft.rfft(x, fft_size)) ** 2
        energies = (_mel_filters(self.config, fft_size) * power[: fft_size // 2]).sum(axis=1)
        return np.asarray(np.log(np.maximum(energies, _FLOOR)), np.float32).reshape(1, -1)


def _kaldi_options(config: FrontendConfig) -> kaldi_native_fbank.FbankOptions:
    options = kaldi_native_fbank.FbankOptions()
    frame = options.frame_opts
    frame.samp_freq = config.sample_rate_hz
    frame.frame_length_ms = config.frame_length_ms
    frame.frame_shift_ms = config.frame_shift_ms
    frame.window_type = config.window
    frame.dither = 0.0
    frame.preemph_coeff = _PREEMPHASIS
    frame.snip_edges = True
    options.mel_opts.num_bins = config.n_mels
    options.mel_opts.low_freq = _LOWEST_HZ
    options.use_energy = False
    return options


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
