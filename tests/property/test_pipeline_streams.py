"""Parts around a recogniser: streams hear what files hear, company changes nothing, every token stays aligned."""

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uniasr
from fabricated_punctuation import fabricated
from uniasr import Final
from uniasr.errors import AudioError, OptionError
from uniasr.text.normalization import Normalized, Span

pytestmark = pytest.mark.torch  # the recorded models are exported first

relaxed = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
packets = st.lists(st.one_of(st.integers(1, 3), st.integers(0, 3_000), st.integers(0, 40_000)), max_size=30)
RATE = 16_000


@pytest.fixture
def model(load_exported):
    return load_exported("uniasr_ja_template")


@pytest.fixture
def vad(recorded, load_exported_vad):
    return load_exported_vad(recorded("fsmn_vad_8k"))


@pytest.fixture
def speech(recorded, vad):
    """A clip in which the recorded detector finds speech, at the recogniser's rate."""
    from uniasr.audio.resample import resample

    clip = np.load(recorded("fsmn_vad_8k") / "inputs.npz")["a"] / np.float32(32768)
    return resample(clip, 8000, RATE)


def shout(text):
    """A text normalisation that turns every second character into two, so that spans of all kinds occur."""
    spans, out = [], ""
    for at, char in enumerate(text):
        new = char if at % 2 else char * 2
        spans.append(Span(at, at + 1, len(out), len(out) + len(new), "literal" if new == char else "loud"))
        out += new
    return Normalized(text, out, tuple(spans))


def streamed(pipeline, samples, sizes, **options):
    ends = np.minimum(np.cumsum([0, *sizes]), len(samples))
    with pipeline.stream("offline", None, RATE, **options) as stream:
        events = []
        for a, b in zip(ends, [*ends[1:], len(samples)], strict=True):
            events += stream.accept(samples[a:b])
        events += stream.finish()
        assert stream.finish() == []
    return [event.result for event in events if isinstance(event, Final)]


@relaxed
@given(data=st.data())
def test_a_stream_hears_the_stretches_of_the_file(model, vad, speech, data):
    begin = data.draw(st.integers(0, len(speech) - 1))
    samples = speech[begin:][: data.draw(st.integers(0, 12 * RATE))]
    options = {
        "beam_size": 1,
        **data.draw(st.sampled_from([{}, {"max_end_silence_ms": 300}, {"max_segment_s": 0.8, "segment_s": 0.5}])),
    }
    pipeline = uniasr.Pipeline(model, vad, itn=shout)
    found = pipeline.transcribe(samples, RATE, **options)
    assert streamed(pipeline, samples, data.draw(packets), **options) == list(found.segments)
    assert [segment.index for segment in found.segments] == list(range(len(found.segments)))


@relaxed
@given(data=st.data())
def test_company_changes_nothing(model, vad, speech, data):
    clips = [
        speech[data.draw(st.integers(0, len(speech))) :][: data.draw(st.integers(0, 6 * RATE))]
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    pipeline = uniasr.Pipeline(model, vad, itn=shout)
    call = {"beam_size": 1, "merge_s": data.draw(st.sampled_from([0.0, 3.0]))}
    together = pipeline.transcribe_batch(clips, RATE, **call)
    assert together == [pipeline.transcribe(clip, RATE, **call) for clip in clips]


def test_stretches_are_those_of_the_detector_and_tokens_lie_inside(model, vad, speech):
    found = uniasr.Pipeline(model, vad, itn=shout).transcribe(speech, RATE)
    stretches = vad.segments(speech, RATE)
    assert [segment.start_ms for segment in found.segments] == [start for start, _ in stretches]
    # The recogniser's last row may end before the stretch does: samples that fill no window belong to no row.
    assert all(0 <= end - one.end_ms <= 25 + 10 for one, (_, end) in zip(found.segments, stretches, strict=True))
    for segment in found.segments:
        assert "".join(token.text for token in segment.tokens) == segment.text
        times = [time for token in segment.tokens for time in (token.start_ms, token.end_ms)]
        assert times == sorted(times)
        assert not times or segment.start_ms <= times[0] <= times[-1] <= segment.end_ms


def test_merging_joins_neighbours_with_their_pause(model, vad, speech):
    alone = vad.segments(speech, RATE)
    found = uniasr.Pipeline(model, vad).transcribe(speech, RATE, merge_s=4.0, beam_size=1)
    bounds = [(segment.start_ms, segment.end_ms) for segment in found.segments]
    assert len(bounds) < len(alone)
    assert {start for start, _ in bounds} <= {start for start, _ in alone}
    for start, end in bounds:
        inside = [one for one in alone if start <= one[0] and one[1] <= end + 35]
        assert inside[0][0] == start
        assert len(inside) == 1 or end - start <= 4_000


def test_without_parts_a_pipeline_is_its_recogniser(model, speech):
    pipeline = uniasr.Pipeline(model)
    assert pipeline.transcribe(speech, RATE, beam_size=1) == model.transcribe(speech, RATE, beam_size=1)
    with pytest.raises(OptionError, match="detector"):
        pipeline.transcribe(speech, RATE, merge_s=1.0)
    with pytest.raises(OptionError, match="vad"):
        pipeline.segments(speech)


@relaxed
@given(size=packets)
def test_a_call_may_do_without_a_part_or_take_another_one(model, vad, speech, size):
    pipeline, some = uniasr.Pipeline(model, vad, itn=shout), speech[: 6 * RATE]
    for asked, wanted in ((False, None), (None, None), (True, shout), ("ja-JP", "ja"), (str.lower, str.lower)):
        found = uniasr.Pipeline(model, vad, itn=wanted).transcribe(some, RATE, beam_size=1)
        assert pipeline.transcribe(some, RATE, beam_size=1, itn=asked) == found
        assert list(pipeline.segments(some, RATE, beam_size=1, itn=asked)) == list(found.segments)
        assert streamed(pipeline, some, size, beam_size=1, itn=asked) == list(found.segments)


def test_a_call_may_have_marks_or_none(model, speech):
    model_of_marks = fabricated()
    bare, whole = uniasr.Pipeline(model), uniasr.Pipeline(model, punctuation=model_of_marks)
    plain, marked = (one.transcribe(speech, RATE, beam_size=1) for one in (bare, whole))
    assert plain != marked
    assert whole.transcribe(speech, RATE, beam_size=1, punctuation=False) == plain
    assert bare.transcribe(speech, RATE, beam_size=1, punctuation=model_of_marks) == marked
    with pytest.raises(OptionError, match="punctuation"):
        bare.transcribe(speech, RATE, punctuation=3)


def test_a_text_normalisation_may_return_text_alone(model, vad, speech):
    plain = uniasr.Pipeline(model, vad).transcribe(speech, RATE, beam_size=1)
    louder = uniasr.Pipeline(model, vad, itn=lambda text: text + "!").transcribe(speech, RATE, beam_size=1)
    for before, after in zip(plain.segments, louder.segments, strict=True):
        assert after.text == (before.text + "!" if before.text else "")
        assert "".join(token.text for token in after.tokens) == after.text
        starts = [token.start_ms for token in after.tokens]
        assert starts[: len(before.tokens)] == [token.start_ms for token in before.tokens]
        assert starts == sorted(starts)
    with pytest.raises(OptionError, match="NoneType"):
        uniasr.Pipeline(model, vad, itn=lambda text: None).transcribe(speech, RATE, beam_size=1)


def test_one_bad_recording_does_not_stop_the_others(model, vad, speech, tmp_path):
    (tmp_path / "cut.wav").write_bytes(b"RIFF0000WAVE")
    soundfile.write(tmp_path / "good.wav", speech, RATE)
    pipeline = uniasr.Pipeline(model, vad)
    inputs = [str(tmp_path / "cut.wav"), str(tmp_path / "good.wav"), str(tmp_path / "missing.wav")]
    bad, good, missing = pipeline.attempt(inputs, beam_size=1)
    assert isinstance(bad, AudioError)
    assert isinstance(missing, AudioError)
    assert good.text
    assert list(pipeline.segments(inputs[1], beam_size=1)) == list(good.segments)
    with pytest.raises(AudioError):
        list(pipeline.segments(inputs[0]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"merge_s": -1.0}, "merge_s"),
        ({"merge_s": "3"}, "merge_s"),
        ({"max_end_silence_ms": -5}, "max_end_silence"),
        ({"wrong": 1}, "wrong"),
    ],
)
def test_wrong_options_raise_before_any_work(model, vad, options, said):
    with pytest.raises(OptionError, match=said):
        uniasr.Pipeline(model, vad).attempt(iter(()), **options)
    with pytest.raises(OptionError, match="itn is 'xx'"):
        uniasr.Pipeline(model, itn="xx")
