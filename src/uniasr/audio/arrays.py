"""Samples in memory: numbers of any usual type become float32 in [-1, 1], several channels become one.

Everything is element by element, so that cutting a recording anywhere changes no bit of the result.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from uniasr.errors import AudioError
from uniasr.types import F32

MOST_CHANNELS_GUESSED = 8
"""A longer axis of an array is time, never channels."""
LOUDEST = 32.0
"""Float samples may overshoot 1 (decoders, 32-bit recorders), but 30 dB over full scale is a mistake of scale."""
NARROW = range(1_000, 32_769)
"""Loudest sample of 16-bit speech in a wider type. Of 32-bit samples these are below -96 dB, where nobody speaks."""
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000


def check_rate(rate: Any, where: str) -> int:
    """Sample rate as an int; AudioError unless it is a whole number that some recorder could have used."""
    if (
        not isinstance(rate, int | np.integer)
        or isinstance(rate, bool)
        or not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ
    ):
        raise AudioError(
            f"{where} has the sample rate {rate!r}; it must be a whole number of Hz "
            f"between {LOWEST_RATE_HZ} and {HIGHEST_RATE_HZ}"
        )
    return int(rate)


def as_array(source: Any) -> npt.NDArray[Any] | None:
    """Numpy array behind an array or a torch tensor, None for anything else."""
    if isinstance(source, np.ndarray | np.generic):
        return np.asarray(source)
    if all(hasattr(source, name) for name in ("detach", "cpu", "dtype")):
        try:
            return np.asarray(source.detach().cpu().numpy())
        except (TypeError, RuntimeError) as error:
            raise AudioError(
                f"the tensor of type {source.dtype} cannot be read ({error}); convert it to float32"
            ) from error
    return None


def as_frames(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Array as [n, channels], whichever axis its channels were on.

    [n] is mono. Of two axes the one of at most 8 entries is channels; if both are that short the smaller one,
    of equal ones the last. AudioError for other shapes.
    """
    if array.ndim == 1:
        return array[:, np.newaxis]
    if array.ndim != 2:
        raise AudioError(
            f"{where} has the shape {array.shape}; give [samples], [samples, channels] or [channels, samples]"
        )
    if array.size == 0:
        return array.reshape(0, max(array.shape) if 0 < max(array.shape) <= MOST_CHANNELS_GUESSED else 1)
    rows, columns = array.shape
    if min(rows, columns) > MOST_CHANNELS_GUESSED:
        raise AudioError(
            f"{where} has the shape {array.shape}, where no axis has {MOST_CHANNELS_GUESSED} channels or fewer; "
            "give one channel as [samples]"
        )
    return array if columns <= rows else array.T


def to_unit(array: npt.NDArray[Any], where: str) -> F32:
    """Convert samples of any shape to float32: floats as they are, integers divided by the range of their type.

    Unsigned integers are centred first (uint8 silence is 128). AudioError for NaN, infinite or far too large
    floats, for 64-bit integers (no recording has them, and dividing by 2^63 would silence smaller values), and
    for types that are no numbers.
    """
    kind, bits = array.dtype.kind, 8 * array.dtype.itemsize
    if kind == "f":
        with np.errstate(over="ignore"):
            samples = array.astype(np.float32)
        check_values(samples, where)
        return samples
    if kind in "iu" and bits <= 32:
        half = 2.0 ** (bits - 1)
        centre = half if kind == "u" else 0.0
        return ((array.astype(np.float64) - centre) / half).astype(np.float32)
    raise AudioError(f"{where} has the type {array.dtype}; give floats in [-1, 1] or integers of 8, 16 or 32 bits")


def check_values(samples: F32, where: str) -> None:
    """AudioError for samples that are NaN, infinite, or so large that they cannot have been scaled to [-1, 1]."""
    peak = float(np.abs(samples).max(initial=0.0))
    if not np.isfinite(peak):
        raise AudioError(f"{where} holds NaN or infinite samples; repair the recording or the code that made it")
    if peak > LOUDEST:
        raise AudioError(
            f"{where} holds float samples up to {peak:g}; floats must lie in [-1, 1], so divide 16-bit values by 32768"
        )


def check_range(array: npt.NDArray[Any], where: str) -> None:
    """AudioError for 32-bit integers that are 16-bit samples: they would be silence in the range of their type."""
    if array.dtype.kind != "i" or array.dtype.itemsize != 4 or not array.size:
        return
    if (peak := max(int(array.max()), -int(array.min()))) in NARROW:
        raise AudioError(
            f"{where} has the type {array.dtype} and no sample beyond {peak}; convert 16-bit samples to int16 "
            "(.astype('int16')), and 32-bit samples that are as quiet as this to floats"
        )


def mix(frames: F32, channel: int | None, where: str) -> F32:
    """One channel [n] of frames [n, channels]: the mean of all, or the one asked for (from 0).

    AudioError if there is no such channel.
    """
    channels = frames.shape[1]
    if channel is not None:
        if not isinstance(channel, int | np.integer) or isinstance(channel, bool) or not 0 <= channel < channels:
            raise AudioError(f"{where} has no channel {channel!r}; it has {channels}, counted from 0")
        return np.ascontiguousarray(frames[:, channel])
    # Added up one by one: numpy's own reduction may group the summands differently for blocks of other lengths.
    total = np.ascontiguousarray(frames[:, 0])
    for index in range(1, channels):
        total = total + frames[:, index]
    return total if channels == 1 else total / np.float32(channels)
