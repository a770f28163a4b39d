"""Doubtful segments are heard in other views: with the packaged model, made to doubt everything or nothing."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniasr.configs.decoding import DoubtConfig, ViewConfig
from uniasr.configs.records import from_plain, to_plain
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import ModelError
from uniasr.features.warp import warped, warps
from uniasr.types import Final

RATE = 16_000
SLOW, LONGER = ViewConfig(speed=0.9), ViewConfig(warp=1.12)
few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def sentence(sample):
    samples, rate = soundfile.read(sample, dtype="float32")
    assert rate == RATE
    return samples


@pytest.fixture(scope="module")
def speech(sentence):
    """Three stretches of speech with pauses of a second, two of them noisy: [samples] float32."""
    noise = np.random.default_rng(0).normal(0, 0.02, len(sentence)).astype(np.float32)
    pause = np.zeros(RATE, np.float32)
    return np.concatenate([sentence, pause, sentence[::-1] + noise, pause, sentence + 2 * noise])


def with_doubt(model, *views, least=-1e9, tokens=1):
    """The model that hears every segment in these views, too; without views it doubts nothing."""
    changed = copy(model)
    doubt = DoubtConfig(views=views, least=least, tokens=tokens) if views else None
    changed.config = replace(model.config, doubt=doubt)
    return changed


@pytest.mark.parametrize("mode", ["normal", "offline"])
def test_the_same_view_once_more_changes_nothing(packaged_model, sentence, mode):
    plain = with_doubt(packaged_model).transcribe(sentence, RATE, mode, nbest=5)
    again = with_doubt(packaged_model, ViewConfig()).transcribe(sentence, RATE, mode, nbest=5)
    assert [segment.tokens for segment in again.segments] == [segment.tokens for segment in plain.segments]
    for one, other in zip(plain.segments, again.segments, strict=True):
        assert [h.token_ids for h in one.nbest] == [h.token_ids for h in other.nbest]
        assert [h.score for h in one.nbest] == pytest.approx([h.score for h in other.nbest], abs=1e-6)


@few
@given(sizes=st.lists(st.integers(1, 40_000), max_size=12), mode=st.sampled_from(["normal", "offline"]))
def test_a_stream_that_doubts_is_the_file(packaged_model, speech, sizes, mode):
    model = with_doubt(packaged_model, SLOW, LONGER)
    ends = np.minimum(np.cumsum([0, *sizes]), len(speech))
    with model.stream(mode, sample_rate=RATE) as stream:
        events = [e for a, b in zip(ends, [*ends[1:], len(speech)], strict=True) for e in stream.accept(speech[a:b])]
        events += stream.finish()
    finals = tuple(event.result for event in events if isinstance(event, Final))
    assert finals == model.transcribe(speech, RATE, mode).segments


def test_a_batch_that_doubts_is_its_members(packaged_model, speech, sentence):
    model = with_doubt(packaged_model, SLOW, LONGER)
    audios = [speech, sentence, speech[: 3 * RATE], np.zeros(RATE, np.float32)]
    assert model.transcribe_batch(audios, RATE) == [model.transcribe(audio, RATE) for audio in audios]


def test_segments_lie_where_the_first_hearing_found_them(packaged_model, speech):
    plain = with_doubt(packaged_model).transcribe(speech, RATE)
    doubted = with_doubt(packaged_model, SLOW, ViewConfig(speed=1.2, warp=0.9)).transcribe(speech, RATE)
    assert [(s.start_ms, s.end_ms) for s in doubted.segments] == [(s.start_ms, s.end_ms) for s in plain.segments]
    for segment in doubted.segments:
        at = segment.start_ms
        for token in segment.tokens:
            assert at <= token.start_ms < token.end_ms <= segment.end_ms
            at = token.end_ms


def test_times_of_a_slower_view_are_those_of_the_audio(packaged_model, sentence):
    """Where the slower view wins, its tokens stand where the first hearing has them."""
    options = {"output": "kana", "lm": "none"}  # with a language model the two hear one kana differently
    plain = with_doubt(packaged_model).transcribe(sentence, RATE, **options)
    slow = with_doubt(packaged_model, SLOW)
    slow.config = replace(slow.config, ctc_rescoring=1e-6)  # no council: the slower view is as good as the first
    found = slow.transcribe(sentence, RATE, **options)
    assert found.text == plain.text
    shifts = [abs(a.end_ms - b.end_ms) for a, b in zip(found.tokens, plain.tokens, strict=True)]
    assert max(shifts) < 200


def test_only_what_the_head_finds_improbable_is_doubted(packaged_model, sentence):
    plain = with_doubt(packaged_model).transcribe(sentence, RATE)
    assert with_doubt(packaged_model, SLOW, LONGER, least=1e9).transcribe(sentence, RATE) == plain
    assert with_doubt(packaged_model, SLOW, LONGER, tokens=1000).transcribe(sentence, RATE) == plain


def test_fast_mode_and_the_published_search_doubt_nothing(packaged_model, speech):
    plain, doubting = with_doubt(packaged_model), with_doubt(packaged_model, SLOW, LONGER)
    assert doubting.transcribe(speech, RATE, "fast") == plain.transcribe(speech, RATE, "fast")
    options = {"search": "reference", "beam_size": 2}
    assert doubting.transcribe(speech, RATE, **options) == plain.transcribe(speech, RATE, **options)


def test_nothing_is_said_where_the_first_hearing_finds_nothing(packaged_model):
    noise = np.random.default_rng(3).normal(0, 0.1, 4 * RATE).astype(np.float32)
    assert with_doubt(packaged_model, SLOW, LONGER).transcribe(noise, RATE).text == ""


@given(factor=st.floats(0.5, 2.0), bins=st.integers(2, 80))
def test_warps_are_interpolations(factor, bins):
    (matrix,) = warps(bins, [factor])
    assert matrix.min() >= 0
    assert np.allclose(matrix.sum(axis=0), 1, atol=1e-4)
    ramp = np.arange(bins, dtype=np.float32)[np.newaxis]
    assert np.allclose(warped(ramp, bins, factor)[0], np.minimum(ramp[0] * factor, bins - 1), atol=1e-3)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"views": [{"speed": 3.0}]}, "speed is 3.0"),
        ({"views": [{"warp": float("nan")}]}, "warp is nan"),
        ({"views": [{}] * 9}, "9 views"),
        ({"tokens": 0}, "tokens 0"),
        ({"least": float("inf")}, "least inf"),
        ({"views": [{"pitch": 1.0}]}, "pitch"),
    ],
)
def test_wrong_entries_of_a_model_are_named(packaged_model, changes, complaint):
    plain = to_plain(packaged_model.config)
    plain["doubt"] |= changes
    with pytest.raises(ModelError, match=complaint):
        from_plain(UniasrConfig, plain, "model.yaml")


def test_doubt_needs_a_head_that_judges(packaged_model):
    with pytest.raises(ValueError, match="ctc_rescoring is 0"):
        replace(packaged_model.config, ctc_rescoring=0.0)
