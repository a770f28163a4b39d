"""Packets of raw samples, as they come from a socket or a microphone, as mono float32. Rates are not its business."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from uniasr.audio.arrays import as_array, mix, to_unit
from uniasr.errors import AudioError
from uniasr.types import F32

_MOST_CHANNELS = 65_535
"""What a wav header can say."""
PIECE_S = 10
"""A longer packet is worked on in pieces, so that it needs no more memory or time than many short ones."""


def pieces(samples: F32, sample_rate_hz: int) -> Iterator[F32]:
    """The samples of a packet in pieces of at most PIECE_S; none for an empty packet."""
    step = PIECE_S * sample_rate_hz
    for start in range(0, len(samples), step):
        yield samples[start : start + step]


class PcmDecoder:
    """Turns packets into samples; how a stream is cut into packets changes no bit of the result.

    `channels` are interleaved in bytes and the last axis of arrays; their mean comes out, or only `channel`.
    Raises AudioError for numbers of channels that make no sense.
    """

    def __init__(self, channels: int = 1, *, channel: int | None = None) -> None:
        if not isinstance(channels, int) or isinstance(channels, bool) or not 1 <= channels <= _MOST_CHANNELS:
            raise AudioError(
                f"the stream has {channels!r:.60} channels; give a whole number from 1 to {_MOST_CHANNELS}"
            )
        self._channels = channels
        self._channel = channel
        self._rest = b""
        mix(np.zeros((0, channels), np.float32), channel, "the stream")

    def decode(self, packet: bytes | bytearray | memoryview | npt.NDArray[Any]) -> F32:
        """Return the samples [n] in [-1, 1] that this packet completes.

        Args:
            packet: bytes of interleaved 16-bit little-endian integers, of any length, odd ones included; or an
                array (numpy, torch) [n] or [n, channels] of floats in [-1, 1] or integers.

        Raises AudioError for NaN, infinite or unscaled floats, for other shapes or types, and for an array while
        bytes of an unfinished sample wait. A refused packet leaves the decoder as it was.
        """
        if isinstance(packet, bytes | bytearray | memoryview):
            return self._decode_bytes(bytes(packet))
        array = as_array(packet)
        if array is None:
            raise AudioError(f"a packet is of type {type(packet).__name__}; give bytes of 16-bit samples or an array")
        return self._decode_array(array)

    def finish(self) -> None:
        """End the stream: bytes of a sample that never arrived completely are dropped."""
        self._rest = b""

    def _decode_bytes(self, packet: bytes) -> F32:
        data = self._rest + packet
        whole = len(data) - len(data) % (2 * self._channels)
        self._rest = data[whole:]
        frames = np.frombuffer(data, "<i2", count=whole // 2).reshape(-1, self._channels)
        return mix(to_unit(frames, "the packet"), self._channel, "the stream")

    def _decode_array(self, array: npt.NDArray[Any]) -> F32:
        if self._rest:
            raise AudioError(
                "an array follows bytes that end inside a sample; send whole samples before changing the form"
            )
        frames = array[:, np.newaxis] if array.ndim == 1 else array
        if frames.ndim != 2 or frames.shape[1] != self._channels:
            raise AudioError(
                f"a packet has the shape {array.shape}; this stream of {self._channels} channel(s) takes "
                f"[samples, {self._channels}]{' or [samples]' if self._channels == 1 else ''}"
            )
        return mix(to_unit(frames, "the packet"), self._channel, "the stream")
