"""Confidences: the map from probabilities, where it comes from and goes to, and the confidence of whole texts."""

import json
import math
from dataclasses import replace

import pytest
from fabricated import RATE_HZ, UNIT, fabricated_config, fabricated_model, samples_of
from hypothesis import given
from hypothesis import strategies as st

from uniasr.configs.decoding import ClosedConfidenceConfig, ConfidenceConfig
from uniasr.configs.records import from_plain, to_plain
from uniasr.configs.uniasr import UniasrConfig
from uniasr.decoding.confidence import confidence, log_odds, logistic
from uniasr.errors import ModelError
from uniasr.text.normalization import align_tokens
from uniasr.text.normalization.records import Normalized, Span
from uniasr.types import Final, Segment, Token, Transcript

log_probs = st.floats(-800, 1e-6) | st.just(-math.inf)
maps = {"slope": st.floats(0.01, 20), "offset": st.floats(-20, 20)}
FITTED = (ConfidenceConfig(slope=0.5, offset=1.0), ConfidenceConfig(slope=2.0, offset=-1.0))


def token(text, confidence, reading=None):
    return Token(text, 3, 0, 60, confidence, reading)


def segment(*tokens):
    return Segment(0, 0, 60, "".join(one.text for one in tokens), tokens, ())


# The map


@given(st.lists(log_probs, min_size=2, max_size=2), maps["slope"], maps["offset"])
def test_a_likelier_token_is_never_less_certain(pair, slope, offset):
    low, high = (confidence(one, slope, offset) for one in sorted(pair))
    assert 0.0 <= low <= high + 1e-12
    assert high <= 1.0


@given(log_probs)
def test_without_a_map_confidence_is_the_probability(log_prob):
    assert confidence(log_prob) == min(1.0, math.exp(log_prob))


@given(st.floats(1e-9, 1 - 1e-9))
def test_log_odds_and_back(probability):
    assert logistic(log_odds(probability)) == pytest.approx(probability, rel=1e-9)


@pytest.mark.parametrize("mode", ["fast", "normal", "offline"])
def test_the_map_of_a_pass_reaches_its_tokens_in_files_and_streams_and_nothing_else(mode):
    samples = samples_of(([UNIT] * 12 + [0] * 12) * 3)
    options = {"segment_s": 0.6, "nbest": 2}
    plain, mapped = fabricated_model(), fabricated_model(confidence=FITTED)
    before, after = (model.transcribe(samples, RATE_HZ, mode, **options) for model in (plain, mapped))
    fitted = FITTED[mode != "fast"]
    assert len(before.tokens) >= 5
    for one, other in zip(before.segments, after.segments, strict=True):
        wanted = [confidence(math.log(t.confidence), fitted.slope, fitted.offset) for t in one.tokens]
        assert [t.confidence for t in other.tokens] == pytest.approx(wanted)
        assert not one.tokens or wanted != pytest.approx([t.confidence for t in one.tokens])
        assert replace(other, tokens=one.tokens) == one
    with mapped.stream(mode, sample_rate=RATE_HZ, **options) as stream:
        events = [event for at in range(0, len(samples), 97) for event in stream.accept(samples[at : at + 97])]
        events += stream.finish()
    assert tuple(event.result for event in events if isinstance(event, Final)) == after.segments


def test_the_map_is_read_and_written_and_may_be_missing():
    config = fabricated_config(confidence=FITTED)
    plain = json.loads(json.dumps(to_plain(config)))
    assert [one["slope"] for one in plain["confidence"]] == [0.5, 2.0]
    assert from_plain(UniasrConfig, plain, "model.yaml") == config
    plain["confidence"] = [{"slope": 0.5, "offset": 1.0}, {"slope": 2.0, "offset": -1.0}]
    assert from_plain(UniasrConfig, plain, "model.yaml") == config
    closed = ClosedConfidenceConfig(slope=0.5, offset=4.0, misfit=3.0)
    config = fabricated_config(confidence=(ConfidenceConfig(), ConfidenceConfig(closed=closed)))
    assert from_plain(UniasrConfig, json.loads(json.dumps(to_plain(config))), "model.yaml") == config
    del plain["confidence"]
    assert from_plain(UniasrConfig, plain, "model.yaml").confidence == (ConfidenceConfig(), ConfidenceConfig())


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ([{"slope": 0.0}, {}], "slope is 0.0; it must lie above 0"),
        ([{}, {"slope": -1.0}], "slope"),
        ([{"slope": float("nan")}, {}], "slope"),
        ([{"offset": float("inf")}, {}], "offset is inf; it must lie within 20 of 0"),
        ([{"shift": 1.0}, {}], "confidence.*unknown entries shift"),
        ([{}, {"closed": {"slope": 1.0, "offset": 0.0, "misfit": -1.0}}], "misfit is -1.0; it must lie between 0"),
        ([{}, {"closed": {"slope": 0.0, "offset": 0.0, "misfit": 1.0}}], "slope is 0.0"),
        ([{}, {"closed": {"slope": 1.0, "offset": 0.0}}], "misfit"),
        ([{}], "confidence has 1 values; 2 are needed"),
        (0.5, "confidence.*list"),
    ],
)
def test_a_map_that_is_none_is_refused(entry, complaint):
    plain = to_plain(fabricated_config()) | {"confidence": entry}
    with pytest.raises(ModelError, match=complaint):
        from_plain(UniasrConfig, plain, "model.yaml")


# Conversions


def test_a_conversion_that_is_a_choice_makes_its_tokens_less_certain():
    spans = (Span(0, 2, 0, 1, "word", 0.5), Span(2, 4, 1, 3, "literal", 0.25))
    result = Normalized("ハナデス", "花デス", spans)
    tokens = [token(text, sure) for text, sure in zip("ハナデス", (0.8, 0.6, 1.0, 0.4), strict=True)]
    aligned = align_tokens(tokens, result, readings=True)
    assert [(one.text, one.reading) for one in aligned] == [("花", "ハナ"), ("デ", None), ("ス", None)]
    assert [one.confidence for one in aligned] == pytest.approx([0.3, 0.25, 0.1])


# Whole texts


def test_the_confidence_of_a_text_counts_characters():
    first, second = segment(token("今日", 0.5), token("は", 0.8)), segment(token("晴", 1.0))
    assert first.confidence == pytest.approx(0.6)
    assert Transcript("今日は晴", (first, second), 60).confidence == pytest.approx(0.7)


def test_a_text_without_tokens_has_no_confidence():
    assert segment().confidence == 0.0
    assert Transcript("", (), 60).confidence == 0.0


def test_the_confidence_of_a_text_is_in_its_plain_form_and_back():
    transcript = Transcript("花", (segment(token("花", 0.5, "ハナ")),), 60)
    plain = json.loads(json.dumps(transcript.to_dict()))
    assert plain["confidence"] == plain["segments"][0]["confidence"] == 0.5
    assert Transcript.from_dict(plain) == transcript
