"""A recording cut into stretches of speech, block by block: memory holds the audio that may still belong to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.recognizers.vad import Session, Vad, advance
from uniasr.types import F32


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Speech from `start_ms` to `end_ms`, mono samples at the recording's rate."""

    start_ms: int
    end_ms: int
    samples: F32


class Recent:
    """The latest samples of a recording, by their place in it in milliseconds."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz, self._first = rate_hz, 0
        self._samples: F32 = np.zeros(0, np.float32)

    def append(self, samples: F32) -> None:
        """Add samples at the end."""
        self._samples = np.concatenate([self._samples, samples])

    def between(self, start_ms: int, end_ms: int) -> F32:
        """Samples of a stretch, as far as they have come and have not been dropped."""
        start, end = (max(0, self._place(time) - self._first) for time in (start_ms, end_ms))
        return self._samples[start:end].copy()

    def drop_before(self, time_ms: int) -> None:
        """Forget what lies before."""
        count = min(max(0, self._place(time_ms) - self._first), len(self._samples))
        self._samples, self._first = self._samples[count:].copy(), self._first + count

    def _place(self, time_ms: int) -> int:
        return time_ms * self._rate_hz // 1000


class SpeechCutter:
    """Blocks of a recording in, stretches of speech out, each as soon as its end is certain.

    Stretches that follow each other are joined, with the pause between them, while the whole is at most `merge_ms`.
    """

    def __init__(self, vad: Vad, session: Session, rate_hz: int, merge_ms: int) -> None:
        self._engine, self._session, self._merge_ms = vad.engine, session, merge_ms
        self._recent = Recent(rate_hz)
        self._waiting: tuple[int, int] | None = None
        """Bounds of a stretch that the next one may be joined to."""

    def feed(self, samples: F32) -> list[Stretch]:
        """Stretches that are complete with these samples."""
        self._recent.append(samples)
        self._session.feed(samples)
        return self._cut()

    def end(self) -> list[Stretch]:
        """The remaining stretches; the recording is complete."""
        self._session.end()
        found = self._cut()
        if self._waiting is not None:
            found.append(self._stretch(self._waiting))
            self._waiting = None
        return found

    def _cut(self) -> list[Stretch]:
        advance(self._engine, [self._session])
        bounds: list[tuple[int, int]] = []
        for start, end in self._session.closed():
            if self._waiting is not None and end - self._waiting[0] <= self._merge_ms:
                self._waiting = (self._waiting[0], end)
                continue
            if self._waiting is not None:
                bounds.append(self._waiting)
            self._waiting = (start, end)
        settled = self._session.settled_ms
        if self._waiting is not None and settled - self._waiting[0] >= self._merge_ms:  # nothing can join it any more
            bounds.append(self._waiting)
            self._waiting = None
        found = [self._stretch(bound) for bound in bounds]
        self._recent.drop_before(settled if self._waiting is None else self._waiting[0])
        return found

    def _stretch(self, bound: tuple[int, int]) -> Stretch:
        return Stretch(*bound, self._recent.between(*bound))
