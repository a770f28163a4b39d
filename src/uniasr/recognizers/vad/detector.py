"""Where speech begins and ends: a state machine over the probability of silence of every frame.

Pure: a step takes a state and one frame and returns the next state and what has become certain. It knows neither audio
nor network. Source: the rules of funasr 1.4.16 funasr/models/fsmn_vad_streaming/model.py; the differences stand in
docs/families/fsmn_vad.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import NamedTuple

from uniasr.configs.fsmn_vad import FRAME_MS, VadOptions

UNKNOWN = -1
"""Stands for the end that is not known yet, and for the start that has been told before."""


class Boundary(NamedTuple):
    """Something certain about a segment, in milliseconds: its start, its end, or both."""

    start_ms: int
    end_ms: int


class Phase(Enum):
    """Where a stream stands."""

    WAITING = "no segment is open"
    OPEN = "a segment is open"
    DONE = "the only segment that was asked for has been found, or has not come in time"


@dataclass(frozen=True, slots=True)
class DetectorState:
    """Everything that a stream's past means for its future."""

    frame: int = 0
    """Frames seen."""
    window: int = 0
    """The last frames as bits, 1 for speech, the newest lowest."""
    voiced: bool = False
    """Whether the window as a whole is speech."""
    phase: Phase = Phase.WAITING
    earliest: int = 0
    """The first frame at which a new segment may begin."""
    start: int = 0
    """First frame of the open segment."""
    opened: int = 0
    """The frame at which that start became certain."""
    silence: int = 0
    """Frames since the window was last speech."""
    noise_db: float | None = None
    """Level of the frames that were no speech."""


class Detector:
    """The state machine of one set of options. Immutable; states belong to the streams."""

    def __init__(self, options: VadOptions) -> None:
        self.options = options
        window = options.window_size_ms // FRAME_MS
        self._mask = (1 << window) - 1
        self._rise = options.sil_to_speech_time_thres // FRAME_MS
        self._fall = options.speech_to_sil_time_thres // FRAME_MS
        self._back = window + (options.lookback_time_start_point // FRAME_MS if options.do_extend else 0)
        self._longest = options.max_single_segment_time // FRAME_MS

    def settled(self, state: DetectorState) -> int:
        """The first frame that an open segment or one to come may contain."""
        if state.phase is Phase.OPEN:
            return state.start
        return state.frame if state.phase is Phase.DONE else max(state.earliest, state.frame - self._back)

    def certain(self, state: DetectorState) -> int:
        """The first frame that the open segment may yet end before: the ones up to it belong to it whatever follows."""
        if state.voiced:
            return state.frame
        kept = self.options.lookahead_time_end_point // FRAME_MS + 1 if self.options.do_extend else 0
        return min(state.frame, state.frame - state.silence + kept)

    def step(self, state: DetectorState, silence: float, level_db: float) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """One frame.

        Args:
            state: what `DetectorState()` or the step before returned.
            silence: the frame's probability of silence, 0 to 1.
            level_db: its level, for the options that compare levels.

        Returns:
            The next state, and at most one event: a start or an end.
        """
        frame, speech, noise_db = state.frame, *self._decide(state.noise_db, silence, level_db)
        window = (state.window << 1 | speech) & self._mask
        heard = window.bit_count()
        rises, falls = not state.voiced and heard >= self._rise, state.voiced and heard <= self._fall
        voiced = (state.voiced or rises) and not falls
        quiet = 0 if voiced or falls else state.silence + 1
        phase, earliest, start, opened = state.phase, state.earliest, state.start, state.opened
        if phase is Phase.WAITING:
            earliest = max(earliest, frame - self._back)
            if rises:
                phase, start, opened = Phase.OPEN, earliest, frame
            elif self._lost_patience(quiet):
                phase = Phase.DONE
        seen = DetectorState(frame + 1, window, voiced, phase, earliest, start, opened, quiet, noise_db)
        if state.phase is Phase.OPEN:
            return self._follow(seen, frame, voiced or falls)
        return seen, (Boundary(start * FRAME_MS, UNKNOWN),) if phase is Phase.OPEN else ()

    def quiet(self, state: DetectorState, count: int) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """`count` frames that are too quiet to be anything: `step` with certain silence of no level, many times."""
        found: tuple[Boundary, ...] = ()
        for done in range(count):
            if self._idle(state):
                return self._wait(state, count - done), found
            state, events = self.step(state, 1.0, -inf)
            found += events
        return state, found

    def finish(self, state: DetectorState) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """No frame follows: an open segment ends with the last one."""
        return self._close(state, state.frame - 1) if state.phase is Phase.OPEN else (state, ())

    def _decide(self, noise_db: float | None, silence: float, level_db: float) -> tuple[bool, float | None]:
        """Whether a frame is speech, and the noise level after it."""
        options = self.options
        if level_db < options.decibel_thres:
            return False, noise_db
        if 1.0 - silence >= silence**options.speech_2_noise_ratio + options.speech_noise_thres:
            return level_db - (-100.0 if noise_db is None else noise_db) >= options.snr_thres, noise_db
        if noise_db is None:
            return False, level_db
        count = options.noise_frame_num_used_for_snr
        return False, (level_db + (count - 1) * noise_db) / count

    def _lost_patience(self, quiet: int) -> bool:
        return self.options.detect_mode == 0 and quiet * FRAME_MS > self.options.max_start_silence_time

    def _idle(self, state: DetectorState) -> bool:
        """Whether silence can only make time pass."""
        waits = state.phase is Phase.WAITING and self.options.detect_mode != 0
        return waits and not state.window and not state.voiced

    def _wait(self, state: DetectorState, count: int) -> DetectorState:
        """An idle state after so many frames of silence."""
        frame = state.frame + count
        earliest = max(state.earliest, frame - 1 - self._back)
        return replace(state, frame=frame, earliest=earliest, silence=state.silence + count)

    def _follow(self, state: DetectorState, frame: int, active: bool) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """An open segment goes on, or ends: after enough silence, or because it is too long."""
        patience = self._patience_ms(frame - state.opened)
        if not active and state.silence * FRAME_MS >= patience:
            back = patience // FRAME_MS
            if self.options.do_extend:
                back = max(0, back - self.options.lookahead_time_end_point // FRAME_MS - 1)
            return self._close(state, frame - back)
        if frame - state.start + 1 > self._longest:
            return self._close(state, frame)
        return state, ()

    def _patience_ms(self, open_frames: int) -> int:
        """Silence of the window that ends a segment."""
        silence_ms = self.options.max_end_silence_time
        for opened_ms, scheduled_ms in self.options.silence_schedule:
            if open_frames * FRAME_MS > opened_ms:
                silence_ms = scheduled_ms
        return max(0, silence_ms - self.options.speech_to_sil_time_thres)

    def _close(self, state: DetectorState, last: int) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """End the open segment with the frame `last`, and listen for the next one with an empty window."""
        phase = Phase.WAITING if self.options.detect_mode else Phase.DONE
        state = replace(state, phase=phase, earliest=last + 1, window=0, voiced=False, silence=0)
        return state, (Boundary(UNKNOWN, (last + 1) * FRAME_MS),)


def joined(events: list[Boundary]) -> list[Boundary]:
    """Events in which a start directly followed by its end is one event."""
    found: list[Boundary] = []
    for event in events:
        if event.start_ms == UNKNOWN and found and found[-1].end_ms == UNKNOWN:
            found[-1] = Boundary(found[-1].start_ms, event.end_ms)
        else:
            found.append(event)
    return found
