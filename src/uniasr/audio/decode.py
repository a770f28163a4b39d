"""Files as blocks of samples.

libsndfile reads wav, flac, ogg, opus and mp3; FFmpeg, through the extra `av`, reads mp4, webm and their kin.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import soundfile

from uniasr.audio.arrays import check_rate
from uniasr.audio.headers import Kind, complete, demuxer, sniff, states_length, truncated
from uniasr.errors import AudioError, MissingExtraError
from uniasr.types import F32

BLOCK_S = 10
_BLOCK_VALUES = 1 << 22
"""Upper limit of a block, for files that claim a thousand channels."""
_MP3_SLACK = 2 * 1152
"""Encoder and decoder delays, in samples, that tags may or may not count."""
CONTAINER_SLACK_S = 1.0
"""By how much the length that a container states may differ from the times of its packets."""
_STATED = frozenset({"matroska", "mov"})
"""Containers that state their length; of others FFmpeg only guesses it."""
GAP_S = 0.1
"""Longer holes between the frames of a track, and before the first one, are silence: its text keeps its times."""
MOST_SILENCE_S = 12 * 3600
_TAG_BYTES = 16 << 10
"""More than this behind the last sample that was read is no tag but audio."""


class _Sequential(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is only read forwards: seeking after every block costs mp3 its bits and flac pipes their end."""

    def seekable(self) -> bool:
        return False


class _Quiet:
    """A file for libsndfile, which may seek before the start of a corrupt one: nothing happens, nothing is printed."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with contextlib.suppress(OSError, ValueError):
            return self._seek(offset, whence)
        return self.tell()


def decoded(file: BinaryIO, name: str) -> Iterator[tuple[int, F32]]:
    """Sample rate and samples [n, channels] of each block of about 10 s; at least one block, if only an empty one.

    Raises AudioError if the file is no audio, corrupt or truncated, and MissingExtraError if it needs FFmpeg.
    """
    head = file.read(16)
    kind = sniff(head)
    file.seek(0)
    if kind is None:
        raise AudioError(
            f"{name} does not start like any known audio file; convert it to wav, or give raw samples as an array "
            "with sample_rate or as packets of a stream"
        )
    if kind == "container":
        yield from _ffmpeg_blocks(file, demuxer(head), name)
    else:
        yield from _sndfile_blocks(complete(file, kind, name), kind, name)


def _sndfile_blocks(file: BinaryIO, kind: Kind, name: str) -> Iterator[tuple[int, F32]]:
    length_known = kind != "mp3" or states_length(file)
    try:
        with _Sequential(_Quiet(file)) as sound:
            rate = check_rate(sound.samplerate, name)
            step = max(1, min(BLOCK_S * rate, _BLOCK_VALUES // sound.channels))
            done = 0
            while True:
                block: F32 = sound.read(step, dtype="float32", always_2d=True)
                if len(block) or done == 0:
                    yield rate, block
                done += len(block)
                if len(block) == 0:
                    break
            expected = sound.frames if length_known and sound.frames < 1 << 62 else 0
    except (soundfile.SoundFileError, MemoryError) as error:
        raise AudioError(f"{name} is corrupt or truncated ({_plain(error)}); copy or convert it again") from error
    if done + (_MP3_SLACK if kind == "mp3" else 0) < expected:
        raise truncated(name, f"its header promises {expected} samples and there are {done}")
    if kind in ("mp3", "ogg"):
        _check_all_read(file, name)


def _check_all_read(file: BinaryIO, name: str) -> None:
    """Files glued together, and mp3 of varying bit rate without a length, are read only in part by libsndfile."""
    at = file.tell()
    left = file.seek(0, io.SEEK_END) - at
    if left > _TAG_BYTES and file.seek(-256, io.SEEK_END) >= 0 and b"APETAGEX" not in file.read():
        raise AudioError(
            f"{name} holds {left} bytes more than its first part (joined files, or varying bit rate without a length); "
            "convert it to wav or flac"
        )


def _ffmpeg_blocks(file: BinaryIO, form: str | None, name: str) -> Iterator[tuple[int, F32]]:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is an mp4, webm, aac or similar file, which needs FFmpeg; "
            'install it with pip install "uniasr[av]", or convert the file to wav'
        ) from error
    try:
        with av.open(file, mode="r", format=form) as container:
            if not container.streams.audio:
                raise AudioError(f"{name} has no audio track; give another file")
            stream = container.streams.audio[0]
            rate = check_rate(stream.rate, name)
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            track = _Track(container, stream, name)
            pieces = _resampled(resampler, track.frames(), rate, name)
            for block in _gathered(pieces, BLOCK_S * rate, stream.channels):
                yield rate, block
            track.check_whole()
    except av.FFmpegError as error:
        raise AudioError(f"{name} is corrupt or truncated ({_plain(error)}); copy or convert it again") from error


class _Track:
    """The frames of an audio track with their times, while the packets of all tracks go by."""

    def __init__(self, container: Any, stream: Any, name: str) -> None:
        self._container, self._stream, self._name = container, stream, name
        self._zero_s = (container.start_time or 0) / 1e6
        self._furthest_s = 0.0

    def frames(self) -> Iterator[tuple[float | None, Any]]:
        """Each frame, behind the second on the clock of the whole file at which it begins; None, None at the end."""
        for packet in self._container.demux():
            if packet.dts is not None:
                end = (packet.dts + (packet.duration or 0)) * packet.time_base
                self._furthest_s = max(self._furthest_s, float(end))
            if packet.stream is self._stream or packet.stream.index == self._stream.index:
                for frame in packet.decode():
                    yield None if frame.time is None else frame.time - self._zero_s, frame
        yield None, None  # lets out what a resampler holds

    def check_whole(self) -> None:
        """Raise AudioError if the file ends long before its header says so."""
        if self._container.format.name not in _STATED or self._container.duration is None:
            return
        promised_s, there_s = self._container.duration / 1e6, self._furthest_s
        if there_s < promised_s - CONTAINER_SLACK_S:
            raise truncated(self._name, f"its header promises {promised_s:.1f} s and there are {there_s:.1f} s")


def _resampled(resampler: Any, frames: Iterable[tuple[float | None, Any]], rate: int, name: str) -> Iterator[F32]:
    """Samples [n, channels] of each frame of a track; silence where its clock says that there is nothing."""
    width, count = None, 0
    for begin_s, frame in frames:
        try:
            pieces = [piece.to_ndarray().T for piece in resampler.resample(frame)]
        except ValueError as error:
            raise _changing(name) from error
        missing = 0 if begin_s is None else round(begin_s * rate) - count
        if missing > MOST_SILENCE_S * rate:
            raise AudioError(f"{name} has audio at {begin_s:.0f} s and none before; its time stamps are damaged")
        if missing > GAP_S * rate and pieces:
            for start in range(0, missing, rate):
                yield np.zeros((min(rate, missing - start), pieces[0].shape[1]), np.float32)
            count += missing
        for piece in pieces:
            width = width or piece.shape[1]
            if piece.shape[1] != width:
                raise _changing(name)
            count += len(piece)
            yield piece


def _changing(name: str) -> AudioError:
    return AudioError(f"{name} changes its channels or sample rate on the way (joined files); convert it to wav")


def _gathered(pieces: Iterable[F32], size: int, channels: int) -> Iterator[F32]:
    """Join the small frames of a codec to blocks of at least `size` samples, the last one shorter; at least one."""
    waiting = [np.zeros((0, channels), np.float32)]
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count >= size:
            yield np.concatenate(waiting)
            waiting, count = waiting[:1], 0
    yield np.concatenate(waiting)


def _plain(error: Exception) -> str:
    """Reason of the library without its object addresses."""
    return str(getattr(error, "error_string", None) or getattr(error, "strerror", None) or error or "no reason given")
