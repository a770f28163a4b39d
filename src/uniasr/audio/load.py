"""Audio from any source, whole or in blocks, as mono float32 at its own rate. Resampling is done elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from uniasr.audio.arrays import as_array, as_frames, check_range, check_rate, check_values, mix, to_unit
from uniasr.audio.decode import BLOCK_S, decoded
from uniasr.audio.sources import open_source
from uniasr.errors import OptionError
from uniasr.types import F32

ARRAY_RATE_HZ = 16_000
"""The rate of arrays that come without one."""

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | npt.NDArray[Any] | Any
"""Path, http(s) or file URL, the bytes of an audio file, a binary file object, a numpy array, a torch tensor."""


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono samples [S], float32, nominally in [-1, 1], and their rate."""

    samples: F32
    sample_rate_hz: int


def check_many(audios: Any) -> None:
    """OptionError for one source where many are expected: its characters, bytes or samples would pass for sources."""
    array = as_array(audios)
    samples = array is not None and array.ndim < 2 and array.dtype.kind in "iuf"
    file = isinstance(audios, str | bytes | bytearray | memoryview | os.PathLike) or hasattr(audios, "read")
    if samples or file or not isinstance(audios, Iterable):
        raise OptionError(f"audios is one {type(audios).__name__}; give a list of inputs, even of one: [audio]")


def load(source: Source, *, sample_rate: int | None = None, channel: int | None = None) -> Waveform:
    """Whole audio of a source; nothing in it is an empty waveform, not an error.

    Args:
        source: path, http(s) or file URL, bytes of a file with a header, binary file object (read from where it
            stands), numpy array or torch tensor. Arrays are [samples], [samples, channels] or
            [channels, samples]; integers are divided by the range of their type (16-bit ones in int32 are
            refused, not heard as silence), floats lie in [-1, 1].
        sample_rate: the rate of an array, 16000 if not given. Files state their own, which always wins.
        channel: the channel to take, from 0; None mixes all to their mean.

    Raises AudioNotFoundError if the file does not exist, AudioError if it is empty, cut, no audio, or holds values
    that no recording has, MissingExtraError if its format needs the extra `av`.
    """
    parts = list(blocks(source, sample_rate=sample_rate, channel=channel))
    return Waveform(np.concatenate([part.samples for part in parts]), parts[0].sample_rate_hz)


def blocks(source: Source, *, sample_rate: int | None = None, channel: int | None = None) -> Iterator[Waveform]:
    """Audio of a source about 10 s at a time, so that its length costs no memory; at least one block.

    Arguments and errors are those of `load`; the errors come while iterating.
    """
    rate = ARRAY_RATE_HZ if sample_rate is None else check_rate(sample_rate, "the array")
    array = as_array(source)
    if array is not None:
        frames = as_frames(array, "the array")
        check_range(frames, "the array")
        for start in range(0, max(1, len(frames)), BLOCK_S * rate):
            samples = to_unit(frames[start : start + BLOCK_S * rate], "the array")
            yield Waveform(mix(samples, channel, "the array"), rate)
        return
    with open_source(source) as (file, name):
        for file_rate, samples in decoded(file, name):
            check_values(samples, name)
            yield Waveform(mix(samples, channel, name), file_rate)
