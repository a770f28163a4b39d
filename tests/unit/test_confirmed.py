"""Pass 2 writes only near what pass 1 heard, where a model wants that. Alphas are fabricated: no weights."""

import numpy as np
import pytest
from fabricated import RATE_HZ, ROW_MS, UNIT, FormulaEngine, fabricated_config, fabricated_model, samples_of
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr import DecodingOptions, Final
from uniasr.configs.uniasr import ChunkConfig
from uniasr.recognizers.uniasr.firing import confirmed
from uniasr.recognizers.uniasr.passes import EncodedChunk, plan_pass, start_pass
from uniasr.recognizers.uniasr.rows import RowBuffer

FAINT, LOUD = UNIT // 4, UNIT // 2
WITHIN_S = 0.5
WITHIN = 8
"""Whole rows of 60 ms in it."""
LONG = {"segment_s": 60.0, "max_segment_s": 60.0}


class HardOfHearing(FormulaEngine):
    """Its first pass does not hear what is faint; its second hears everything."""

    def run(self, graph, inputs, outputs):
        out = super().run(graph, inputs, outputs)
        if graph == "encoder":
            out["alphas"] = np.where(out["alphas"] * UNIT < LOUD, 0, out["alphas"]).astype(np.float32)
        return out


def transcribed(alphas, confirm_s, mode="offline"):
    model = fabricated_model(engine=HardOfHearing, confirm_s=confirm_s)
    return model.transcribe(samples_of(alphas), RATE_HZ, mode, **LONG)


@pytest.mark.parametrize("mode", ["normal", "offline"])
def test_what_pass_2_hears_alone_is_not_written(mode):
    assert len(transcribed([FAINT] * 100, None, mode).tokens) > 20
    assert transcribed([FAINT] * 100, WITHIN_S, mode).text == ""


def test_what_is_faint_beside_what_pass_1_heard_is_written():
    alphas = [*[0] * 20, *[LOUD] * 8, *[FAINT] * 8, *[0] * 20]
    assert transcribed(alphas, WITHIN_S).tokens == transcribed(alphas, None).tokens
    far = [*alphas, *[FAINT] * 40]
    assert transcribed(far, WITHIN_S).text == transcribed(alphas, WITHIN_S).text
    assert len(transcribed(far, None).tokens) > len(transcribed(far, WITHIN_S).tokens)


@settings(deadline=None)
@given(
    ends=st.lists(st.integers(1, 400), unique=True, max_size=12).map(sorted),
    number=st.integers(0, 4),
    within=st.integers(0, 12),
)
def test_near_is_what_a_loop_finds(ends, number, within):
    config = fabricated_config(confirm_s=WITHIN_S)
    first, second = (
        start_pass(plan_pass(config, n, 0), RowBuffer(1), 0, DecodingOptions(), decode=False) for n in (1, 2)
    )
    first.ends = [end / 4 for end in ends]
    geometry = second.plan.chunk
    chunk = EncodedChunk(number, *(np.ones(shape, np.float32) for shape in ((30, 4), 30, 30)), None)
    found = confirmed(first, second, chunk, within).alphas
    for kept in range(geometry.stride):
        place = 2 * (number * geometry.stride + kept)  # a row of pass 2 is two of pass 1
        ahead = min(within, 2 * geometry.look_ahead)
        near = any(place - within <= end < place or place <= end <= place + ahead for end in first.ends)
        assert found[geometry.pad_left + kept] == near
    assert (chunk.alphas == 1).all()  # others hold the same chunk


def test_seconds_become_whole_rows_of_pass_1():
    config = fabricated_config(confirm_s=WITHIN_S)
    assert ROW_MS == 60
    assert [plan_pass(config, number, 0).confirm_frames for number in (1, 2)] == [None, WITHIN]
    assert plan_pass(fabricated_config(), 2, 0).confirm_frames is None


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), float("inf")])
def test_no_distance_is_refused(wrong):
    with pytest.raises(ValueError, match="confirm_s"):
        fabricated_config(confirm_s=wrong)


stretches = st.lists(st.tuples(st.sampled_from([0, FAINT, LOUD]), st.integers(1, 40)), min_size=1, max_size=10)


@pytest.mark.parametrize("mode", ["normal", "offline"])
@settings(max_examples=40, deadline=None)
@given(
    stretches=stretches,
    packet=st.sampled_from([1000, 97, 13, 10_000_000]),
    segment_s=st.sampled_from([0.5, 60.0]),
    look_ahead=st.sampled_from([0, 1, 5]),
)
def test_streams_files_and_batches_agree(mode, stretches, packet, segment_s, look_ahead):
    samples = samples_of([alpha for alpha, count in stretches for _ in range(count)])
    chunk2 = ChunkConfig(size=25 + look_ahead, stride=20, pad_left=5)
    model, limits = fabricated_model(engine=HardOfHearing, chunk2=chunk2, confirm_s=WITHIN_S), {"segment_s": segment_s}
    file = model.transcribe(samples, RATE_HZ, mode, **limits)
    with model.stream(mode, sample_rate=RATE_HZ, **limits) as stream:
        events = [event for at in range(0, len(samples), packet) for event in stream.accept(samples[at : at + packet])]
        events += stream.finish()
    assert tuple(event.result for event in events if isinstance(event, Final)) == file.segments
    assert model.transcribe_batch([samples[: len(samples) // 2], samples], RATE_HZ, mode, **limits)[1] == file
    for event in events:  # what is called stable stays
        final = next(one for one in events if isinstance(one, Final) and one.segment == event.segment)
        assert event.tokens[: event.stable] == final.tokens[: event.stable]
