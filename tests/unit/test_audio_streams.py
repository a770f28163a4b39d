"""PCM decoder and resampler: errors and known values. Independence of packets is in tests/property."""

import numpy as np
import pytest

from uniasr.audio.pcm import PcmDecoder
from uniasr.audio.resample import Resampler, resample
from uniasr.errors import AudioError


def test_bytes_are_little_endian_16_bit():
    np.testing.assert_array_equal(
        PcmDecoder().decode(b"\x00\x80\x00\x40\xff\x7f"), np.float32([-1, 0.5, 32767 / 32768])
    )
    np.testing.assert_array_equal(PcmDecoder(2).decode(b"\x00\x80\x00\x40"), [-0.25])
    np.testing.assert_array_equal(PcmDecoder(2, channel=1).decode(b"\x00\x80\x00\x40"), [0.5])


def test_half_a_sample_waits_and_is_dropped_at_the_end():
    decoder = PcmDecoder()
    assert decoder.decode(b"\x00").size == 0
    np.testing.assert_array_equal(decoder.decode(memoryview(b"\x40\x00")), [0.5])
    decoder.finish()
    np.testing.assert_array_equal(decoder.decode(b"\x00\x40"), [0.5])


def test_arrays_have_their_channels_last():
    np.testing.assert_array_equal(PcmDecoder(2).decode(np.float64([[0, 0.5], [0.5, 1]])), [0.25, 0.75])
    np.testing.assert_array_equal(PcmDecoder().decode(np.int16([[-32768], [0]])), [-1, 0])
    np.testing.assert_array_equal(PcmDecoder(1).decode(np.zeros((0,))), [])


@pytest.mark.parametrize(
    ("channels", "packet"),
    [
        (1, np.array([0.0, np.nan])),
        (1, np.array([np.inf])),
        (1, np.array([5000.0])),
        (1, np.array([1, 2])),
        (1, np.zeros((4, 2))),
        (2, np.zeros(4)),
        (2, np.zeros((2, 4))),
        (1, np.array(1.0)),
        (1, np.zeros((1, 1, 1))),
        (1, "text"),
        (1, None),
    ],
)
def test_unfit_packets_are_refused_and_leave_the_stream_as_it_was(channels, packet):
    decoder = PcmDecoder(channels)
    with pytest.raises(AudioError):
        decoder.decode(packet)
    np.testing.assert_array_equal(decoder.decode(b"\x00\x40" * channels), [0.5])


def test_an_array_inside_a_sample_of_bytes_is_refused():
    decoder = PcmDecoder()
    decoder.decode(b"\x00")
    with pytest.raises(AudioError, match="inside a sample"):
        decoder.decode(np.zeros(3))
    np.testing.assert_array_equal(decoder.decode(b"\x40"), [0.5])


def test_unfit_numbers_of_channels():
    for channels in (0, -1, 1.0, True, "2"):
        with pytest.raises(AudioError, match="channels"):
            PcmDecoder(channels)
    with pytest.raises(AudioError, match="no channel 2"):
        PcmDecoder(2, channel=2)


@pytest.mark.parametrize(
    "rates", [(8000, 16000), (11025, 16000), (22050, 16000), (44100, 16000), (48000, 16000), (16000, 8000)]
)
def test_a_tone_keeps_its_pitch_level_and_place(rates):
    source, target = rates
    tone = [np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32) for rate in rates]
    got = resample(tone[0], source, target)
    assert got.shape == tone[1].shape
    np.testing.assert_allclose(got[500:-500], tone[1][500:-500], atol=2e-3)


def test_tones_above_half_the_rate_do_not_fold_back():
    high = np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(resample(high, 48_000, 16_000)[500:-500]).max() < 1e-4


def test_a_stream_comes_out_with_little_delay():
    resampler = Resampler(44_100, 16_000)
    ready = sum(resampler.process(np.zeros(441, np.float32)).size for _ in range(100))
    assert ready >= 16_000 - 16 * 100


def test_equal_rates_pass_on_the_samples():
    samples = np.random.default_rng(0).normal(size=100).astype(np.float32)
    np.testing.assert_array_equal(resample(samples, 16_000, 16_000), samples)


def test_resampler_errors():
    with pytest.raises(AudioError, match="sample rate"):
        Resampler(0, 16_000)
    with pytest.raises(AudioError, match="sample rate"):
        Resampler(16_000, 4.5)
    for rates in ((8000, 16_000), (16_000, 16_000)):
        resampler = Resampler(*rates)
        resampler.process(np.zeros(0, np.float32), True)
        with pytest.raises(AudioError, match="ended"):
            resampler.process(np.zeros(1, np.float32))
