"""Samples may be cut anywhere: resampler, PCM decoder and front end give the same bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniasr.audio.pcm import PcmDecoder
from uniasr.audio.resample import Resampler, resample
from uniasr.configs.frontend import FrontendConfig
from uniasr.features.cmvn import Cmvn
from uniasr.features.fbank import Fbank
from uniasr.features.frontend import FrontEnd
from uniasr.features.lfr import Lfr
from uniasr.features.positions import position_codes

seeds = st.integers(0, 2**32 - 1)
# Mostly tiny and middling packets, at times a large one.
packets = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 700), st.integers(0, 20_000)), max_size=12)


def noise(seed, count):
    """Loud, soft and silent stretches."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.choice([0.0, 1e-4, 0.1, 0.9], -(-count // 500)), 500)[:count]
    return (rng.uniform(-1, 1, count) * loudness).astype(np.float32)


def pieces(data, sizes):
    """Cut `data` to packets of these sizes; what is left comes last."""
    ends = np.minimum(np.cumsum([0, *sizes]), len(data))
    return [data[a:b] for a, b in zip(ends, [*ends[1:], len(data)], strict=True)]


def run(step_with_last, parts):
    return np.concatenate([step_with_last(part, index == len(parts) - 1) for index, part in enumerate(parts)])


@pytest.mark.parametrize("rates", [(8000, 16000), (11025, 16000), (22050, 16000), (44100, 16000), (48000, 16000)])
@settings(max_examples=12, deadline=None)
@given(seed=seeds, count=st.integers(0, 9000), sizes=packets)
def test_resampling_does_not_depend_on_packets(rates, seed, count, sizes):
    samples = noise(seed, count)
    whole = resample(samples, *rates)
    assert abs(len(whole) - count * rates[1] / rates[0]) <= 1
    np.testing.assert_array_equal(run(Resampler(*rates).process, pieces(samples, sizes)), whole)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, count=st.integers(0, 2000), sizes=packets)
def test_resampling_down_to_8_khz_and_to_the_same_rate(seed, count, sizes):
    samples = noise(seed, count)
    for rates in ((16000, 8000), (44100, 8000)):
        np.testing.assert_array_equal(run(Resampler(*rates).process, pieces(samples, sizes)), resample(samples, *rates))
    np.testing.assert_array_equal(run(Resampler(16000, 16000).process, pieces(samples, sizes)), samples)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=400), sizes=st.lists(st.integers(0, 9), max_size=60), channels=st.integers(1, 9))
def test_pcm_bytes_do_not_depend_on_packets(data, sizes, channels):
    decoder = PcmDecoder(channels)
    got = np.concatenate([decoder.decode(part) for part in pieces(data, sizes)])
    decoder.finish()
    whole = len(data) // (2 * channels)
    exact = np.frombuffer(data, "<i2", whole * channels).reshape(whole, channels).mean(axis=1) / 32768
    assert got.shape == (whole,)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, exact, atol=1e-6)
    np.testing.assert_array_equal(got, PcmDecoder(channels).decode(data))


@settings(max_examples=30, deadline=None)
@given(
    seed=seeds,
    channels=st.integers(1, 9),
    count=st.integers(0, 60),
    sizes=st.lists(st.integers(0, 9), max_size=20),
    dtype=st.sampled_from([np.float32, np.float64, np.int16, np.int32, np.uint8]),
)
def test_pcm_arrays_do_not_depend_on_packets(seed, channels, count, sizes, dtype):
    unit = np.random.default_rng(seed).uniform(-1, 1, (count, channels))
    frames = unit.astype(dtype) if np.dtype(dtype).kind == "f" else (unit * 100 + 100).astype(dtype)
    decoder = PcmDecoder(channels)
    got = np.concatenate([decoder.decode(part) for part in pieces(frames, sizes)])
    np.testing.assert_array_equal(got, PcmDecoder(channels).decode(frames))


configs = st.builds(
    FrontendConfig,
    sample_rate_hz=st.sampled_from([8000, 16000]),
    n_mels=st.sampled_from([8, 40]),
    lfr_m=st.integers(1, 9),
    lfr_n=st.integers(1, 9),
)


@settings(max_examples=60, deadline=None)
@given(config=configs, seed=seeds, count=st.one_of(st.integers(0, 1000), st.integers(0, 9000)), sizes=packets)
def test_rows_do_not_depend_on_packets(config, seed, count, sizes):
    samples = noise(seed, count)
    rng = np.random.default_rng(seed)
    cmvn = Cmvn(*rng.normal(size=(2, config.feature_size)).astype(np.float32))
    front_end = FrontEnd(config, cmvn)
    _, whole = front_end.step(front_end.start(), samples, True)
    carry, parts, bound = front_end.start(), [], 0
    cut = pieces(samples, sizes)
    for index, part in enumerate(cut):
        carry, rows = front_end.step(carry, part, index == len(cut) - 1)
        parts.append(rows)
        bound = max(bound, len(carry.samples) + len(carry.lfr.frames) * config.hop_samples)
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert bound <= config.frame_samples + 2 * (config.lfr_m + config.lfr_n) * config.hop_samples
    assert len(carry.samples) == len(carry.lfr.frames) == 0


@settings(max_examples=40, deadline=None)
@given(config=configs, seed=seeds, count=st.integers(0, 9000), sizes=packets)
def test_rows_come_as_soon_as_their_samples_do(config, seed, count, sizes):
    """Row i needs frame i * n + right, and the frame its last sample; not one sample more."""
    samples, front_end, given_so_far, rows_so_far = noise(seed, count), FrontEnd(config), 0, 0
    carry = front_end.start()
    right = config.lfr_m - 1 - (config.lfr_m - 1) // 2
    for part in pieces(samples, sizes):
        carry, rows = front_end.step(carry, part, False)
        given_so_far, rows_so_far = given_so_far + len(part), rows_so_far + len(rows)
        frames = Fbank(config).count(given_so_far)
        assert rows_so_far == max(0, (frames - 1 - right) // config.lfr_n + 1)


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(1, 12), n=st.integers(1, 12), count=st.integers(0, 60), sizes=st.lists(st.integers(0, 9), max_size=20)
)
def test_stacked_rows_hold_the_frames_that_the_definition_says(m, n, count, sizes):
    frames = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    expected = [
        np.concatenate([frames[min(max(i * n + j - (m - 1) // 2, 0), count - 1)] for j in range(m)])
        for i in range(-(-count // n))
    ]
    lfr, parts = Lfr(m, n), []
    carry = lfr.start(2)
    cut = pieces(frames, sizes)
    for index, part in enumerate(cut):
        carry, rows = lfr.step(carry, part, index == len(cut) - 1)
        parts.append(rows)
    np.testing.assert_array_equal(np.concatenate(parts), np.array(expected, np.float32).reshape(-1, 2 * m))


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 2000), count=st.integers(1, 40), skip=st.integers(0, 39))
def test_position_codes_do_not_depend_on_where_a_call_starts(first, count, skip):
    skip = min(skip, count - 1)
    whole = position_codes(first, count, 560)
    np.testing.assert_array_equal(position_codes(first + skip, count - skip, 560), whole[skip:])
    np.testing.assert_array_equal(position_codes(first + skip, 1, 560)[0], whole[skip])
