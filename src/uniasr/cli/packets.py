"""Where the packets of a stream come from: a file, standard input, the microphone."""

from __future__ import annotations

import itertools
import queue
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import click
import numpy as np
import numpy.typing as npt

from uniasr.audio.headers import UNKNOWN_LENGTH, frame_bytes, sniff
from uniasr.audio.load import Waveform, blocks
from uniasr.errors import AudioError, MissingExtraError

_MOST_BYTES = 1 << 20
_HEADER_BYTES = 6
"""What `frame_bytes` needs."""
_SAMPLE_TYPES = {(1, 8): "u1", (1, 16): "<i2", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}
"""numpy type by wav format (1 integers, 3 floats) and bits."""


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets as `Stream.accept` takes them."""

    sample_rate_hz: int
    channels: int
    packets: Iterator[bytes | npt.NDArray[Any]]
    endless: bool = False
    """It ends when the user says so."""

    def seconds(self, packet: bytes | npt.NDArray[Any]) -> float:
        """Length of a packet; bytes hold 16-bit samples."""
        frames = len(packet) / (2 * self.channels) if isinstance(packet, bytes) else len(packet)
        return frames / self.sample_rate_hz


def from_file(source: str, packet_ms: int) -> Packets:
    """A file or URL, cut into packets."""
    parts = blocks(source)
    first = next(parts)
    size = max(1, first.sample_rate_hz * packet_ms // 1000)
    return Packets(first.sample_rate_hz, 1, _cut(itertools.chain([first], parts), size))


def _cut(parts: Iterator[Waveform], size: int) -> Iterator[npt.NDArray[Any]]:
    for part in parts:
        for start in range(0, len(part.samples), size):
            yield part.samples[start : start + size]


def from_standard_input(sample_rate_hz: int, channels: int, packet_ms: int) -> Packets:
    """Raw 16-bit samples, or a wav, which says by itself what it holds."""
    if sys.stdin.isatty():
        raise AudioError("standard input is a terminal; pipe raw samples or a wav into it, or name a file")
    file = sys.stdin.buffer
    head = file.read(12)
    if not head:
        raise AudioError("standard input is empty (0 bytes)")
    kind = sniff(head)
    if head[:4] == b"RIFF" and kind == "wav":
        return _wav(file, packet_ms)
    if head[0] == 0xFF:  # the header of an MPEG or AAC frame looks like quiet raw samples: a second one settles it
        length = (frame_bytes(head) if len(head) == 12 else None) or 0
        head += file.read(max(0, length + _HEADER_BYTES - len(head)) if length else 0)
        second = head[length : length + _HEADER_BYTES]
        kind = kind if length and len(second) == _HEADER_BYTES and frame_bytes(second) else None
    if kind is not None:
        raise AudioError(
            "standard input is an audio file that is no plain wav; a stream takes wav or raw 16-bit samples "
            "(ffmpeg -i FILE -f s16le -ac 1 -ar 16000 - makes them), or name the file"
        )
    size = _packet_bytes(sample_rate_hz, 2 * channels, packet_ms)
    return Packets(sample_rate_hz, channels, itertools.chain([head], _read(file, size)))


def _packet_bytes(sample_rate_hz: int, frame_bytes: int, packet_ms: int) -> int:
    return max(1, sample_rate_hz * packet_ms // 1000) * frame_bytes


def _read(file: BinaryIO, size: int) -> Iterator[bytes]:
    """What there is, at most `size` bytes at a time, without waiting for more than one byte."""
    size = min(size, _MOST_BYTES)  # a header may ask for gigabytes
    while packet := file.read1(size):  # type: ignore[attr-defined]
        yield packet


def _wav(file: BinaryIO, packet_ms: int) -> Packets:
    """A wav behind its first 12 bytes, never rewound, its samples handed on as they come."""
    form = b""
    while True:
        chunk = _exactly(file, 8)
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            break
        left = length + length % 2
        while left:  # in pieces: a wrong length must not ask for gigabytes
            piece = _exactly(file, min(left, 1 << 16))
            form = piece if chunk[:4] == b"fmt " else form
            left -= len(piece)
    code, bits = int.from_bytes(form[:2], "little"), int.from_bytes(form[14:16], "little")
    if code == 0xFFFE:  # the extensible form says the same further on
        code = int.from_bytes(form[24:26], "little")
    channels, rate = int.from_bytes(form[2:4], "little"), int.from_bytes(form[4:8], "little")
    if (code, bits) not in _SAMPLE_TYPES or not channels:
        raise AudioError(f"standard input is a wav of format {code} with {bits} bits; convert it to 16-bit PCM")
    kind = np.dtype(_SAMPLE_TYPES[code, bits])
    frame_bytes = kind.itemsize * channels
    data = _limited(_read(file, _packet_bytes(rate, frame_bytes, packet_ms)), length)
    return Packets(rate, channels, data if kind == "<i2" else _frames(data, kind, channels))


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise AudioError("standard input is truncated: the wav ends before its samples")
    return data


def _limited(parts: Iterator[bytes], length: int) -> Iterator[bytes]:
    """The bytes of the samples alone: notes may follow them."""
    if length == 0 or length >= UNKNOWN_LENGTH:
        yield from parts
        return
    left = length
    for part in parts:
        if left:
            yield part[:left]
        left -= min(left, len(part))
    if left:
        raise AudioError(
            f"standard input is truncated: its header promises {length} bytes of samples, {left} of them did not come"
        )


def _frames(parts: Iterator[bytes], kind: np.dtype[Any], channels: int) -> Iterator[npt.NDArray[Any]]:
    """Whole frames of samples [n, channels]."""
    rest = b""
    for part in parts:
        rest += part
        count = len(rest) // (kind.itemsize * channels)
        whole = count * kind.itemsize * channels
        yield np.frombuffer(rest[:whole], kind).reshape(count, channels)
        rest = rest[whole:]


def from_microphone(sample_rate_hz: int, channels: int, packet_ms: int) -> Packets:
    """What the default microphone hears, until Ctrl-C."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the system lacks the PortAudio library
        raise MissingExtraError(
            f"the microphone cannot be used ({error}); install it with pip install 'uniasr[mic]', "
            "or name a file, or - for standard input"
        ) from error
    return Packets(sample_rate_hz, channels, _listen(sounddevice, sample_rate_hz, channels, packet_ms), endless=True)


def _listen(sounddevice: Any, sample_rate_hz: int, channels: int, packet_ms: int) -> Iterator[bytes]:
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    try:
        with sounddevice.RawInputStream(
            samplerate=sample_rate_hz,
            channels=channels,
            dtype="int16",
            blocksize=max(1, sample_rate_hz * packet_ms // 1000),
            callback=lambda data, *_: heard.put(bytes(data)),
        ):
            click.echo("listening; Ctrl-C ends", err=True)
            while True:
                yield heard.get()
    except sounddevice.PortAudioError as error:
        raise AudioError(f"the microphone cannot be opened: {error}") from error
