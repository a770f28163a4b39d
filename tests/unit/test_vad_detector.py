"""When speech begins and ends: the state machine alone, fed with probabilities."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniasr.configs.fsmn_vad import PROFILES, VadOptions
from uniasr.errors import OptionError, UniasrError
from uniasr.recognizers.vad.detector import UNKNOWN, Boundary, Detector, DetectorState, joined

SPEECH, SILENCE = 0.01, 0.9


def run(options, frames, level_db=-20.0):
    """Events of a whole input, with the frame after which each came."""
    detector, state, found = Detector(options), DetectorState(), []
    for index, silence in enumerate(frames):
        state, events = detector.step(state, silence, level_db)
        found += [(index, event) for event in events]
    state, events = detector.finish(state)
    return found + [(len(frames), event) for event in events]


def segments(options, frames, level_db=-20.0):
    found = joined([event for _, event in run(options, frames, level_db)])
    assert all(UNKNOWN not in event for event in found), "every start has its end"
    return [tuple(event) for event in found]


def test_a_start_goes_back_and_an_end_keeps_a_tail():
    frames = [SILENCE] * 100 + [SPEECH] * 50 + [SILENCE] * 100
    events = run(VadOptions(), frames)
    # 15 frames of evidence; 20 of the window and 20 of look-back before it.
    assert events[0] == (114, Boundary(1140 - 400, UNKNOWN))
    # Frame 154 leaves 15 of speech in the window; 650 ms of silence after it; 110 ms of them are kept.
    assert events[1] == (154 + 65, Boundary(UNKNOWN, 1660))
    assert len(events) == 2


def test_exact_zero_and_one_are_probabilities_too():
    assert segments(VadOptions(), [1.0] * 100 + [0.0] * 50 + [1.0] * 100) == [(740, 1660)]


def test_speech_that_the_audio_cuts_off_ends_with_it():
    assert segments(VadOptions(), [SPEECH] * 20) == [(0, 200)]
    # The start becomes certain in the very last frame.
    assert segments(VadOptions(), [SILENCE] * 50 + [SPEECH] * 15) == [(240, 650)]


def test_a_long_segment_is_cut_and_goes_on_at_once():
    found = segments(VadOptions(max_single_segment_time=2000), [SPEECH] * 500)
    assert found[:2] == [(0, 2010), (2010, 4020)]
    assert found[-1][1] == 5000


def test_one_segment_only():
    frames = ([SILENCE] * 100 + [SPEECH] * 50 + [SILENCE] * 100) * 2
    assert len(segments(VadOptions(), frames)) == 2
    assert segments(VadOptions(detect_mode=0), frames) == [(740, 1660)]
    assert segments(VadOptions(detect_mode=0), [SILENCE] * 301 + frames) == []


def test_the_dynamic_profile_waits_less_in_long_segments():
    options = VadOptions().with_changes(PROFILES["dynamic"])
    gap = [SILENCE] * 150  # 1.5 s
    assert len(segments(options, [SPEECH] * 500 + gap + [SPEECH] * 100)) == 1
    assert len(segments(options, [SPEECH] * 1100 + gap + [SPEECH] * 100)) == 2
    assert len(segments(options.with_changes({"silence_schedule": ()}), [SPEECH] * 500 + gap + [SPEECH] * 100)) == 2


def test_levels_can_veto():
    frames = [SILENCE] * 100 + [SPEECH] * 50 + [SILENCE] * 100
    assert segments(VadOptions(decibel_thres=-10.0), frames) == []
    assert segments(VadOptions(snr_thres=5.0), frames) == []  # the pauses are as loud
    assert segments(VadOptions(snr_thres=-1.0), frames) == [(740, 1660)]


@pytest.mark.parametrize(
    "changes",
    [
        {"max_end_silence_time": -1},
        {"max_end_silence_time": 1.5},
        {"window_size_ms": 0},
        {"window_size_ms": 10**9},
        {"speech_noise_thres": float("nan")},
        {"detect_mode": 2},
        {"sil_pdf_ids": ()},
        {"silence_schedule": ((10, 100),)},
        {"silence_schedule": ((0, 100), (0, 50))},
        {"no_such_option": 1},
    ],
)
def test_options_that_make_no_sense(changes):
    with pytest.raises(OptionError, match=next(iter(changes))):
        VadOptions().with_changes(changes)


options = st.builds(
    VadOptions,
    detect_mode=st.sampled_from([0, 1]),
    max_end_silence_time=st.integers(0, 2000),
    window_size_ms=st.integers(10, 400),
    sil_to_speech_time_thres=st.integers(10, 300),
    speech_to_sil_time_thres=st.integers(0, 300),
    do_extend=st.booleans(),
    lookback_time_start_point=st.integers(0, 500),
    lookahead_time_end_point=st.integers(0, 500),
    max_single_segment_time=st.integers(10, 3000),
    speech_noise_thres=st.floats(-1, 1),
    silence_schedule=st.sampled_from([(), PROFILES["dynamic"]["silence_schedule"], ((0, 500), (600, 0))]),
)
runs = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 120)), max_size=12)


@given(options=options, runs=runs)
def test_segments_are_in_order_within_the_audio_and_apart(options, runs):
    frames = [silence for silence, count in runs for _ in range(count)]
    found = segments(options, frames)
    ends = [0, *(end for _, end in found)]
    assert all(end <= start for end, (start, _) in zip(ends, found, strict=False))
    assert all(start < end for start, end in found)
    assert ends[-1] <= 10 * len(frames)
    assert options.detect_mode or len(found) <= 1


@given(options=options, runs=runs)
def test_what_is_settled_stays_so(options, runs):
    """Audio before `settled` is in no segment that is open or comes later, and the state never goes back."""
    detector, state, before = Detector(options), DetectorState(), 0
    for silence, count in runs:
        for _ in range(count):
            settled = detector.settled(state)
            assert settled >= before
            before = settled
            state, events = detector.step(state, silence, -20.0)
            for event in events:
                assert event.start_ms == UNKNOWN or event.start_ms >= 10 * settled


@given(options=options, runs=runs, count=st.integers(0, 400))
def test_quiet_frames_are_steps_of_certain_silence(options, runs, count):
    detector, state = Detector(options), DetectorState()
    for silence, frames in runs:
        for _ in range(frames):
            state, _ = detector.step(state, silence, -20.0)
    one_by_one, events = state, ()
    for _ in range(count):
        one_by_one, more = detector.step(one_by_one, 1.0, -np.inf)
        events += more
    assert detector.quiet(state, count) == (one_by_one, events)


def test_the_state_is_small_and_frozen():
    state = DetectorState()
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.frame = 1
    detector = Detector(VadOptions())
    for _ in range(5000):
        state, _ = detector.step(state, SPEECH, -20.0)
    assert state.window < 1 << 20
    assert issubclass(OptionError, UniasrError)
