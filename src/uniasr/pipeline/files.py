"""Recordings through a pipeline: stretches of speech wait in a pool and are decoded in batches sorted by length.

They come back in the order of the audio. Memory does not grow with the length of a recording, except for its text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import floor
from typing import Any, Protocol

from uniasr.audio.load import Waveform
from uniasr.errors import UniasrError
from uniasr.pipeline.finish import RecordingText
from uniasr.pipeline.parts import Recogniser, owed
from uniasr.pipeline.speech import SpeechCutter, Stretch
from uniasr.types import Segment, Transcript

POOL_S = 300.0
"""Speech that is collected before it is decoded: enough to sort by length, little enough to hold."""
MOST_WAITING = 200
"""Recordings that wait behind one whose speech is in the pool, most of them silent."""


class Memory(Protocol):
    """What an earlier, interrupted run found in a recording (`uniasr transcribe --resume`)."""

    def recall(self, start_ms: int, end_ms: int) -> Transcript | None:
        """What was recognised in this stretch, if it was done."""

    def keep(self, start_ms: int, end_ms: int, transcript: Transcript) -> None:
        """Remember what was recognised in a stretch."""


@dataclass(slots=True)
class Recording:
    """One recording on its way: its stretches in order, and how far they are done."""

    text: RecordingText
    memory: Memory | None = None
    waiting: deque[Pooled] = field(default_factory=deque)
    samples: int = 0
    rate_hz: int = 1
    complete: bool = False
    """Whether all of it has been cut."""
    error: UniasrError | None = None

    @property
    def duration_ms(self) -> int:
        """Audio so far."""
        return floor(self.samples * 1000 / self.rate_hz + 0.5)

    @property
    def done(self) -> bool:
        """Whether nothing of it waits to be decoded any more."""
        return self.error is not None or (self.complete and not self.waiting)

    def take(self) -> Iterator[Segment]:
        """The segments that are ready, in order."""
        while self.error is None and self.waiting and (outcome := self.waiting[0].outcome) is not None:
            piece = self.waiting.popleft()
            for segment in outcome.segments:
                yield from self.text.add(segment, piece.start_ms)
        if self.done:
            yield from self.text.finish()


@dataclass(slots=True, eq=False)
class Pooled:
    """A stretch of a recording, with its samples until it is decoded and its transcript from then on."""

    recording: Recording
    start_ms: int
    end_ms: int
    stretch: Stretch | None
    outcome: Transcript | None = None


def recognised(
    blocks: Iterable[Iterator[Waveform]],
    cutter: Callable[[int], SpeechCutter],
    recogniser: Recogniser,
    new_recording: Callable[[], Recording],
    call: dict[str, Any],
) -> Iterator[Recording]:
    """Work through recordings; yields a recording whenever some of its segments are ready or it is done.

    Args:
        blocks: of each recording.
        cutter: opens one for a sample rate.
        recogniser: decodes the stretches.
        new_recording: opens the account of the next recording.
        call: mode, latency and options of the recogniser.
    """
    open_recordings: deque[Recording] = deque()
    pool: list[Pooled] = []
    pooled_ms = 0
    for source in blocks:
        recording = new_recording()
        open_recordings.append(recording)
        for piece in _cut(recording, source, cutter):
            pool.append(piece)
            pooled_ms += _length(piece)
            if pooled_ms >= POOL_S * 1000:
                _decode(pool, recogniser, call)
                pooled_ms = 0
                yield from _ready(open_recordings)
        if len(open_recordings) > MOST_WAITING:
            _decode(pool, recogniser, call)
            pooled_ms = 0
        yield from _ready(open_recordings)
    _decode(pool, recogniser, call)
    yield from _ready(open_recordings)


def _cut(recording: Recording, source: Iterator[Waveform], cutter: Callable[[int], SpeechCutter]) -> Iterator[Pooled]:
    """The stretches of a recording that must be decoded; those that are remembered are filled in."""
    speech: SpeechCutter | None = None
    try:
        for block in source:
            if speech is None:
                recording.rate_hz, speech = block.sample_rate_hz, cutter(block.sample_rate_hz)
            recording.samples += len(block.samples)
            yield from _pieces(recording, speech.feed(block.samples))
        assert speech is not None  # a source has at least one block
        yield from _pieces(recording, speech.end())
    except UniasrError as error:
        recording.error = error
    recording.complete = True


def _pieces(recording: Recording, stretches: Iterable[Stretch]) -> Iterator[Pooled]:
    for stretch in stretches:
        known = recording.memory and recording.memory.recall(stretch.start_ms, stretch.end_ms)
        piece = Pooled(recording, stretch.start_ms, stretch.end_ms, None if known else stretch, known or None)
        recording.waiting.append(piece)
        if not known:
            yield piece


def _decode(pool: list[Pooled], recogniser: Recogniser, call: dict[str, Any]) -> None:
    """Decode and empty the pool, the longest stretches first, so that those worked on together are alike."""
    pieces = [piece for piece in pool if piece.recording.error is None]
    for rate in sorted({piece.recording.rate_hz for piece in pieces}):
        alike = sorted((piece for piece in pieces if piece.recording.rate_hz == rate), key=_length, reverse=True)
        samples = (piece.stretch.samples for piece in alike if piece.stretch is not None)
        for piece, outcome in zip(alike, owed(recogniser, samples, sample_rate=rate, **call), strict=True):
            piece.stretch = None
            if isinstance(outcome, UniasrError):
                piece.recording.error = piece.recording.error or outcome
                continue
            piece.outcome = outcome
            if piece.recording.memory is not None:
                piece.recording.memory.keep(piece.start_ms, piece.end_ms, outcome)
    pool.clear()


def _length(piece: Pooled) -> int:
    return piece.end_ms - piece.start_ms


def _ready(recordings: deque[Recording]) -> Iterator[Recording]:
    """The first recordings, as far as they are done, and the one after them, of which a part may be ready."""
    while recordings:
        recording = recordings[0]
        yield recording
        if not recording.done:
            return
        recordings.popleft()
