"""Sessions: audio in, starts and ends of speech out. `advance` drives any number of them together."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from uniasr.audio.resample import Resampler
from uniasr.configs.fsmn_vad import FRAME_MS, FsmnVadConfig
from uniasr.engines.base import Engine
from uniasr.features.frontend import FrontEnd
from uniasr.features.level import levels, start_levels
from uniasr.recognizers.vad.detector import UNKNOWN, Boundary, Detector, DetectorState
from uniasr.types import F32, F64, Bool

GRAPHS = ("fsmn_vad",)
"""The graph that a model directory must have (docs/graphs.md)."""
BATCH = 32
"""Streams in one call of the graph."""
BLOCK_ROWS = 100
"""Rows of one stream in one call: more would not be faster."""
QUIET_FRAMES = 100
"""Frames that must be quiet for the network not to be asked."""
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
        self._windows, self._ahead = config.level_windows, config.frontend.lfr_m // 2
        self._rows: F32 = np.zeros((0, config.frontend.feature_size), np.float32)
        self._heard: Bool = np.zeros(0, np.bool_)
        """[waiting rows] whether the network must hear a row."""
        self._levels: F64 = np.zeros(0)
        self._cache = self._no_past()
        self._num_frames, self._num_rows = 0, 0
        self._loud = -QUIET_FRAMES
        """The latest frame that is not quiet."""
        self._events: list[Boundary] = []
        self._start_ms = UNKNOWN

    def feed(self, samples: F32) -> None:
        """Take mono samples at the session's rate."""
        self._add(self._resampler.process(samples))

    def end(self) -> None:
        """The audio is complete."""
        self._add(self._resampler.process(np.zeros(0, np.float32), last=True))
        if self._num_frames:  # less audio than one window has no frame, not even a short one
            self._front, rows = self._front_end.step(self._front, np.zeros(0, np.float32), last=True)
            self._wait_for_network(rows, np.zeros(0, np.int64))
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

    def drain(self) -> list[Boundary]:
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
        block = self._heard[:BLOCK_ROWS]
        return self._rows[: len(block) if block.all() else int(block.argmin())], self._cache

    def took(self, scores: F32, cache: F32) -> None:
        """Scores [R, O] of the block's rows: let the state machine see them."""
        silence = scores[:, list(self._config.options.sil_pdf_ids)].astype(np.float64).sum(axis=1)
        frames = np.minimum(silence, 1.0).repeat(self._config.frames_per_row).tolist()
        for probability, level_db in zip(frames, self._levels.tolist(), strict=False):  # the last row may lack a frame
            self.state, events = self.detector.step(self.state, probability, level_db)
            self._events.extend(events)
        self._cache = cache
        self._drop(len(scores))
        self._pass_quiet()

    def close(self) -> None:
        """Nothing waits and nothing follows: the open segment ends."""
        self.state, events = self.detector.finish(self.state)
        self._events.extend(events)

    def _add(self, samples: F32) -> None:
        if not len(samples):
            return
        self._level, more = levels(self._windows, self._level, samples)
        self._levels = np.concatenate([self._levels, more])
        latest = self._latest_loud(more)
        self._front, rows = self._front_end.step(self._front, samples, last=False)
        self._wait_for_network(rows, latest)

    def _latest_loud(self, new: F64) -> npt.NDArray[np.int64]:
        """For each new frame the latest one up to it that is not quiet."""
        index = np.arange(self._num_frames, self._num_frames + len(new))
        quiet_db = -inf if self._config.quiet_db is None else self._config.quiet_db
        latest = np.maximum.accumulate(np.where(new >= quiet_db, index, self._loud))
        self._num_frames += len(new)
        self._loud = int(latest[-1]) if len(latest) else self._loud
        return latest

    def _wait_for_network(self, rows: F32, latest: npt.NDArray[np.int64]) -> None:
        """Add rows that the frames behind `latest` complete, or the end of the audio.

        The network need not hear a row when the frame that completes it, and all before that for a second, are quiet.
        """
        ends = (np.arange(self._num_rows, self._num_rows + len(rows)) + self._ahead) * self._config.frames_per_row
        ends = np.minimum(ends, self._num_frames - 1)
        since_loud = ends - (latest[ends - self._num_frames] if len(latest) else self._loud)
        self._num_rows += len(rows)
        self._rows = np.concatenate([self._rows, rows])
        self._heard = np.concatenate([self._heard, since_loud < QUIET_FRAMES])
        self._pass_quiet()

    def _pass_quiet(self) -> None:
        """Let the state machine see the rows that the network need not hear, if none waits before them."""
        count = len(self._heard) if not self._heard.any() else int(self._heard.argmax())
        if count:
            frames = min(count * self._config.frames_per_row, len(self._levels))
            self.state, events = self.detector.quiet(self.state, frames)
            self._events.extend(events)
            self._cache = self._no_past()
            self._drop(count)

    def _drop(self, count: int) -> None:
        """Forget rows that have been decided."""
        self._rows, self._heard = self._rows[count:].copy(), self._heard[count:].copy()
        self._levels = self._levels[count * self._config.frames_per_row :].copy()

    def _no_past(self) -> F32:
        encoder = self._config.encoder
        return np.zeros((encoder.fsmn_layers, encoder.cache_rows, encoder.proj_dim), np.float32)


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
