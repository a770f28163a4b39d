"""Sessions: audio in, starts and ends of speech out. `advance` drives any number of them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.audio.resample import Resampler
from uniasr.configs.fsmn_vad import FRAME_MS, FsmnVadConfig
from uniasr.engines.base import Engine
from uniasr.features.frontend import FrontEnd
from uniasr.features.level import levels, start_levels
from uniasr.recognizers.vad.detector import UNKNOWN, Detector, DetectorState, Event
from uniasr.types import F32, F64

GRAPHS = ("fsmn_vad",)
"""The graph that a model directory must have (docs/graphs.md)."""
BATCH = 32
"""Streams in one call of the graph."""
BLOCK_ROWS = 100
"""Rows of one stream in one call: more would not be faster."""
_LEAST_ROWS = 2
"""A product with a single row may sum in another order than one with several, so that a stream would differ from the
same audio in larger packets."""


class Session:
    """One input on its way through the detector; its size does not grow with the audio."""

    def __init__(self, front_end: FrontEnd, detector: Detector, config: FsmnVadConfig, sample_rate_hz: int) -> None:
        self.detector, self.state = detector, DetectorState()
        self.ended = False
        self._config, self._front_end = config, front_end
        self._resampler = Resampler(sample_rate_hz, config.frontend.sample_rate_hz)
        self._front, self._level = front_end.start(), start_levels()
        self._rows: F32 = np.zeros((0, config.frontend.feature_size), np.float32)
        self._levels: F64 = np.zeros(0)
        encoder = config.encoder
        self._cache = np.zeros((encoder.fsmn_layers, encoder.cache_rows, encoder.proj_dim), np.float32)
        self._num_frames = 0
        self._events: list[Event] = []
        self._start_ms = UNKNOWN

    def feed(self, samples: F32) -> None:
        """Take mono samples at the session's rate."""
        self._add(self._resampler.process(samples))

    def end(self) -> None:
        """The audio is complete."""
        self._add(self._resampler.process(np.zeros(0, np.float32), last=True))
        if self._num_frames:  # less audio than one window has no frame, not even a short one
            self._front, rows = self._front_end.step(self._front, np.zeros(0, np.float32), last=True)
            self._rows = np.concatenate([self._rows, rows])
        self.ended = True

    @property
    def ready(self) -> int:
        """Rows that wait for the network."""
        return len(self._rows)

    @property
    def settled_ms(self) -> int:
        """Audio before this belongs to no segment but those that have ended."""
        return self.detector.settled(self.state) * FRAME_MS

    @property
    def certain_ms(self) -> int:
        """Audio before this belongs to the open segment whatever follows."""
        return self.detector.certain(self.state) * FRAME_MS

    def drain(self) -> list[Event]:
        """Events since the last call."""
        events, self._events = self._events, []
        return events

    def closed(self) -> list[tuple[int, int]]:
        """The segments that have ended since the last call; takes the events that `drain` would return."""
        found = []
        for event in self.drain():
            if event.start_ms != UNKNOWN:
                self._start_ms = event.start_ms
            if event.end_ms != UNKNOWN:
                found.append((self._start_ms, event.end_ms))
        return found

    def next_block(self) -> tuple[F32, F32]:
        """Rows [at most BLOCK_ROWS, F] for the network, and the cache that they need."""
        return self._rows[:BLOCK_ROWS], self._cache

    def took(self, scores: F32, cache: F32) -> None:
        """Scores [R, O] of the block's rows: let the state machine see them."""
        count = len(scores)
        silence = scores[:, list(self._config.options.sil_pdf_ids)].astype(np.float64).sum(axis=1)
        for probability, level_db in zip(silence.tolist(), self._levels[:count].tolist(), strict=True):
            self.state, events = self.detector.step(self.state, min(probability, 1.0), level_db)
            self._events.extend(events)
        self._cache = cache
        self._rows, self._levels = self._rows[count:].copy(), self._levels[count:].copy()

    def close(self) -> None:
        """Nothing waits and nothing follows: the open segment ends."""
        self.state, events = self.detector.finish(self.state)
        self._events.extend(events)

    def _add(self, samples: F32) -> None:
        if not len(samples):
            return
        self._level, more = levels(self._config.frontend, self._level, samples)
        self._num_frames += len(more)
        self._levels = np.concatenate([self._levels, more])
        self._front, rows = self._front_end.step(self._front, samples, last=False)
        self._rows = np.concatenate([self._rows, rows])


def advance(engine: Engine, sessions: Sequence[Session]) -> None:
    """Run everything that is ready in these sessions."""
    while ready := [session for session in sessions if session.ready][:BATCH]:
        _run(engine, ready)
    for session in sessions:
        if session.ended:
            session.close()


def _run(engine: Engine, sessions: Sequence[Session]) -> None:
    """One block of each session, side by side in one call."""
    blocks, caches = zip(*(session.next_block() for session in sessions), strict=True)
    counts = [len(block) for block in blocks]
    rows = np.zeros((len(blocks), max(_LEAST_ROWS, *counts), blocks[0].shape[1]), np.float32)
    for place, block in zip(rows, blocks, strict=True):
        place[: len(block)] = block
    feeds = {"rows": rows, "counts": np.array(counts, np.int64), "cache": np.stack(caches)}
    out = engine.run(GRAPHS[0], feeds, ["scores", "next_cache"])
    for session, count, scores, cache in zip(sessions, counts, out["scores"], out["next_cache"], strict=True):
        session.took(scores[:count], cache.copy())
