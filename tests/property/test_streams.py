"""A stream is the file: on onnxruntime the events are the same to the bit for every way of cutting the audio."""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conftest import MODELS
from uniasr import EndpointRule, Final, Partial, Refresh
from uniasr.audio.resample import resample
from uniasr.errors import AudioError, OptionError

pytestmark = pytest.mark.torch  # the recorded models are exported first

MODES = ("fast", "normal", "offline")
SHORT_SEGMENTS = {"segment_s": 1.0, "max_segment_s": 3.0}
RULES_OF_ALL_KINDS = (
    EndpointRule(name="after", silence_ms=300, after_speech=True),
    EndpointRule(name="before", silence_ms=700),
    EndpointRule(name="length", length_ms=1500),
)
CLOSING = (SHORT_SEGMENTS, {}, {"segment_s": 0.3, "max_segment_s": 0.7}, {"endpoint": RULES_OF_ALL_KINDS})
RATES = (8000, 11025, 16000, 22050, 44100, 48000)
FORMS = ("bytes", "int16", "float32", "float64", "int32")
relaxed = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))

# Mostly tiny and middling packets, at times a large one; what is left comes as one packet.
packets = st.lists(st.one_of(st.integers(1, 3), st.integers(0, 700), st.integers(0, 20_000)), max_size=40)


HEARD_AGAIN = "heard again"
"""Behind the name of a model: its normal mode hears segments again at the last latency, as `ja` does."""


@pytest.fixture(params=[*MODELS, f"{MODELS[0]}, {HEARD_AGAIN}", f"{MODELS[2]}, {HEARD_AGAIN}"])
def model(request, load_exported):
    name, _, again = request.param.partition(", ")
    plain = load_exported(name)
    return hearing_again(plain) if again else plain


def hearing_again(model):
    config = model.config
    normal = replace(config.modes["normal"], final_latency=config.num_latencies - 1)
    changed = copy(model)
    changed.config = replace(config, modes={**config.modes, "normal": normal})
    return changed


@pytest.fixture
def speech(model, recorded, request):
    """int16 samples at the model's rate: the recorded utterances, one after another with short pauses."""
    folder = recorded(request.node.callspec.params["model"].partition(",")[0])
    parts = []
    for wav in sorted((folder / "wav").glob("*.wav")):
        samples, rate = soundfile.read(wav, dtype="int16")
        assert rate == model.config.frontend.sample_rate_hz
        parts += [samples, np.zeros(rate // 4, np.int16)]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Case:
    """How one stream is opened and what goes in."""

    mode: str
    latency: int
    options: dict
    rate: int
    frames: np.ndarray
    """[samples, channels] int16"""

    def whole(self, model):
        frames = self.frames if self.frames.shape[1] > 1 else self.frames[:, 0]
        return model.transcribe(frames, self.rate, self.mode, self.latency, **self.options)

    def events(self, model, form="int16", sizes=()):
        """All events when the audio comes in packets of these sizes (bytes or frames)."""
        with model.stream(self.mode, self.latency, self.rate, self.frames.shape[1], **self.options) as stream:
            events = [event for packet in cut(shape(self.frames, form), sizes) for event in stream.accept(packet)]
            return events + stream.finish()


def shape(frames, form):
    if form == "bytes":
        return frames.astype("<i2").tobytes()
    if form == "int32":
        return frames.astype(np.int32) << 16
    return frames if form == "int16" else (frames / np.float32(32768)).astype(form)


def cut(data, sizes):
    ends = np.minimum(np.cumsum([0, *sizes]), len(data))
    return [data[a:b] for a, b in zip(ends, [*ends[1:], len(data)], strict=True)]


@st.composite
def cases(draw, model, speech, modes=MODES):
    """Random stretches of the speech at a random rate, with noise or silence mixed in."""
    own_rate = model.config.frontend.sample_rate_hz
    begin = draw(st.integers(0, len(speech) - 1))
    samples = speech[begin:][: draw(st.integers(0, 5 * own_rate))]
    rate = draw(st.sampled_from(RATES))
    noise = np.random.default_rng(draw(st.integers(0, 99))).normal(0, draw(st.sampled_from([0, 2, 600])), len(samples))
    mixed = resample(np.float32(samples + noise) / np.float32(32768), own_rate, rate)
    channels = draw(st.integers(1, 2))
    frames = np.stack([mixed * (1 - 0.7 * channel) for channel in range(channels)], axis=1)
    options = {
        **draw(
            st.sampled_from(
                [SHORT_SEGMENTS, {}, {"segment_s": 0.3, "max_segment_s": 0.7}, {"endpoint": RULES_OF_ALL_KINDS}]
            )
        ),
        "beam_size": draw(st.sampled_from([1, 3, 5])),
        "nbest": draw(st.sampled_from([1, 3])),
        "search": draw(st.sampled_from(["gated", "gated", "reference"])),
        "refresh_ms": draw(st.sampled_from([None, 500, 1500])),
        "length_norm": draw(st.sampled_from([0.0, 0.7])),
        "penalty": draw(st.sampled_from([0.0, 0.5])),
    }
    latency = draw(st.integers(0, model.config.num_latencies - 1))
    frames = np.clip(frames * 32768, -32768, 32767).astype(np.int16)
    return Case(draw(st.sampled_from(modes)), latency, options, rate, frames)


@relaxed
@given(data=st.data())
def test_events_and_finals_do_not_depend_on_the_packets(model, speech, data):
    case = data.draw(cases(model, speech))
    events = case.events(model, data.draw(st.sampled_from(FORMS)), data.draw(packets))
    assert events == case.events(model)
    transcript = case.whole(model)
    finals = [event for event in events if isinstance(event, Final)]
    assert tuple(event.result for event in finals) == transcript.segments
    assert_events_keep_their_promises(events)
    assert_inside_the_audio(events, transcript, case)


@pytest.mark.parametrize("mode", MODES)
def test_packets_of_one_byte(model, speech, mode):
    frames = speech[: model.config.frontend.sample_rate_hz, None]
    case = Case(mode, 0, {"segment_s": 0.3, "max_segment_s": 0.5}, model.config.frontend.sample_rate_hz, frames)
    size = frames.nbytes
    events = case.events(model, "bytes", [1] * (size // 4) + [3] * (size // 4))
    assert events == case.events(model)
    assert tuple(event.result for event in events if isinstance(event, Final)) == case.whole(model).segments


@pytest.mark.parametrize("mode", MODES)
def test_every_latency_in_packets_of_10_ms(model, speech, mode):
    rate = model.config.frontend.sample_rate_hz
    for latency in range(model.config.num_latencies):
        case = Case(mode, latency, SHORT_SEGMENTS, rate, speech[:, None])
        events = case.events(model, "bytes", [rate // 50] * (len(speech) // (rate // 100)))
        assert events == case.events(model)
        transcript = case.whole(model)
        assert tuple(event.result for event in events if isinstance(event, Final)) == transcript.segments
        assert_events_keep_their_promises(events)
        assert_inside_the_audio(events, transcript, case)
        if len(speech) > 5 * rate:
            assert len(transcript.segments) > 1


def assert_events_keep_their_promises(events):
    """Order of segments, what is stable, growth of the audio covered."""
    segment = promised = covered = 0
    held = ()
    for event in events:
        assert event.segment == segment
        assert 0 <= promised <= event.stable <= len(event.tokens)
        assert event.tokens[:promised] == held
        assert covered <= event.audio_ms or isinstance(event, Final)
        promised, held, covered = event.stable, event.tokens[: event.stable], event.audio_ms
        if isinstance(event, Final):
            assert event.stable == len(event.tokens)
            assert (event.text, event.tokens, event.segment) == (
                event.result.text,
                event.result.tokens,
                event.result.index,
            )
            assert event.audio_ms == event.result.end_ms
            segment, promised, held = segment + 1, 0, ()
    assert not events or isinstance(events[-1], Final)


def assert_inside_the_audio(events, transcript, case):
    assert transcript.duration_ms == pytest.approx(len(case.frames) * 1000 / case.rate, abs=0.5)
    at = 0
    for segment in transcript.segments:
        assert segment.start_ms == at
        assert segment.start_ms <= segment.end_ms <= transcript.duration_ms
        at = segment.end_ms
    # samples that fill no window belong to no row
    assert not transcript.segments or transcript.duration_ms - at <= 25 + 10
    starts = {segment.index: segment.start_ms for segment in transcript.segments}
    for event in events:
        assert event.audio_ms <= transcript.duration_ms
        before = starts[event.segment]
        for token in event.tokens:
            assert before <= token.start_ms < token.end_ms <= event.audio_ms
            assert 0.0 <= token.confidence <= 1.0
            before = token.end_ms


@relaxed
@given(data=st.data())
def test_normal_mode_puts_first_pass_tokens_behind_second_pass_tokens(model, speech, data):
    """Partials keep the second pass's part; behind it stand the newer ones of the tokens that fast mode shows."""
    case = data.draw(cases(model, speech, modes=["normal"]))
    options = {**case.options, "segment_s": 60.0, "max_segment_s": 60.0, "endpoint": None, "refresh_ms": None}
    normal = Case("normal", case.latency, options, case.rate, case.frames).events(model)
    fast = Case("fast", case.latency, options, case.rate, case.frames).events(model)
    shown_by_fast = {event.audio_ms: event.tokens for event in fast if type(event) is Partial}
    second = model.config.encoder2.chunks[case.latency]
    refresh_rows_ms = second.stride * model.config.row_ms(2)
    head, head_ms = (), 0.0
    for event in normal:
        if isinstance(event, Final) or event.audio_ms not in shown_by_fast:
            continue
        ahead = shown_by_fast[event.audio_ms]
        if isinstance(event, Refresh):
            head_ms += refresh_rows_ms
        newer = [token for token in ahead if token.end_ms > head_ms + 1]
        # Times are rounded: a token that fires at the very border may be on either side of it.
        assume(not any(abs(token.end_ms - head_ms) <= 1 for token in ahead))
        if isinstance(event, Refresh):
            head = event.tokens[: len(event.tokens) - len(newer)]
            assert all(token.end_ms <= head_ms + 1 for token in head)
        assert event.tokens[: len(head)] == head
        tail = event.tokens[len(head) :]
        assert len(tail) == len(newer)
        for token, early in zip(reversed(tail), reversed(ahead), strict=False):
            assert (token.id, token.text, token.confidence) == (early.id, early.text, early.confidence)
            assert token.end_ms == max(early.end_ms, *(t.end_ms for t in head)) if head else early.end_ms


@relaxed
@given(data=st.data())
def test_a_segment_that_is_heard_again_is_what_offline_mode_makes_of_it(model, speech, data):
    again = hearing_again(model)
    case = data.draw(cases(again, speech, modes=["normal"]))
    assume(case.options["search"] != "reference")
    options = {**case.options, "segment_s": 60.0, "max_segment_s": 60.0, "endpoint": None}
    last = again.config.num_latencies - 1
    offline = Case("offline", last, options, case.rate, case.frames).whole(model)
    assert Case("normal", 0, options, case.rate, case.frames).whole(again) == offline


@pytest.mark.parametrize("refresh_ms", [1, 400, 1000, 10_000])
def test_refreshes_keep_their_distance(model, speech, refresh_ms):
    rate = model.config.frontend.sample_rate_hz
    every = Case("normal", 0, {}, rate, speech[:, None]).events(model)
    held = Case("normal", 0, {"refresh_ms": refresh_ms}, rate, speech[:, None]).events(model)
    times, kept = ([e.audio_ms for e in events if isinstance(e, Refresh)] for events in (every, held))
    assert times
    wanted, last = [], None
    for time in times:
        if last is None or time - last >= refresh_ms:
            wanted.append(time)
            last = time
    assert kept == wanted
    assert [e for e in held if isinstance(e, Final)] == [e for e in every if isinstance(e, Final)]


def test_text_waits_no_longer_than_the_model_states(model, speech):
    """From the start of a chunk's first row to the packet with which its event comes: at most the worst-case delay."""
    rate = model.config.frontend.sample_rate_hz
    for stated in model.latencies:
        kind = Partial if stated.pass_number == 1 else Refresh
        delays, fed = [], 0
        with model.stream("normal", stated.index, rate, segment_s=60.0) as stream:
            for packet in cut(speech, [rate // 200] * (len(speech) // (rate // 200))):
                fed += len(packet)
                chunks = sum(type(event) is kind for event in stream.accept(packet))
                delays += [fed * 1000 / rate - (len(delays) + i) * stated.emit_interval_ms for i in range(chunks)]
        assert max(delays, default=0) < stated.worst_case_delay_ms + 6
        if stated.pass_number == 1:  # its chunks all wait alike; those of pass 2 by how they meet chunks of pass 1
            assert stated.worst_case_delay_ms <= min(delays)


@pytest.mark.parametrize("mode", MODES)
def test_streams_without_samples_or_with_hardly_any(model, mode):
    for count in (0, 1, 7, 200, 401):
        frames = np.full((count, 1), 1000, np.int16)
        case = Case(mode, 0, {}, model.config.frontend.sample_rate_hz, frames)
        events = case.events(model, "bytes", [1] * (2 * count))
        finals = tuple(event.result for event in events if isinstance(event, Final))
        assert finals == case.whole(model).segments
        assert len(finals) == (count > 0)


def test_a_stream_that_has_finished_says_nothing_more_and_takes_nothing_more(model, speech):
    with model.stream("fast", 0, model.config.frontend.sample_rate_hz) as stream:
        stream.accept(speech)
        assert stream.finish()
        assert stream.finish() == []
        with pytest.raises(AudioError):
            stream.accept(speech)


def test_refused_packets_leave_the_stream_as_it_was(model, speech):
    rate = model.config.frontend.sample_rate_hz
    events = []
    with model.stream("fast", 0, rate) as stream:
        for packet in cut(speech, [rate] * 9):
            for bad in (np.array([np.nan]), np.array([np.inf]), np.zeros((2, 2)), "text", None):
                with pytest.raises(AudioError):
                    stream.accept(bad)
            events += stream.accept(packet)
        events += stream.finish()
    assert events == Case("fast", 0, {}, rate, speech[:, None]).events(model)


def test_wrong_arguments_of_a_stream(model):
    for arguments in ({"mode": "slow"}, {"latency": 99}, {"latency": "1ms"}, {"beam": 3}, {"beam_size": 0}):
        with pytest.raises(OptionError):
            model.stream(**arguments)
    for arguments in ({"sample_rate": 0}, {"channels": 0}):
        with pytest.raises(AudioError):
            model.stream(**arguments)


def test_streams_side_by_side_do_not_disturb_each_other(model, speech):
    rate = model.config.frontend.sample_rate_hz
    inputs = [speech, speech[rate // 2 :], speech[::-1].copy()]
    arguments = [("fast", 0), ("normal", 0), ("normal", model.config.num_latencies - 1)]
    streams = [model.stream(mode, latency, rate, **SHORT_SEGMENTS) for mode, latency in arguments]
    events = [[], [], []]
    for packets_now in zip(*(cut(samples, [rate // 3] * 12) for samples in inputs), strict=True):
        for own, stream, packet in zip(events, streams, packets_now, strict=True):
            own += stream.accept(packet)
    for own, stream, samples, (mode, latency) in zip(events, streams, inputs, arguments, strict=True):
        own += stream.finish()
        assert own == Case(mode, latency, SHORT_SEGMENTS, rate, samples[:, None]).events(model)
