"""Spoiling audio: seeded by seed, epoch and key, never out of range, as strong as it says."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_data import RATE_HZ, tones
from uniasr.errors import DataError, OptionError
from uniasr.training.data.waveform import (
    Spoiler,
    WaveformConfig,
    add_noise,
    change_speed,
    change_volume,
    coloured_noise,
    mu_law,
    preset,
    reverberate,
    synthetic_room,
    telephone,
)

EVERYTHING = WaveformConfig(noise_share=1.0, room_share=1.0, telephone_share=1.0)
quick = settings(max_examples=15, deadline=None)
keys = st.text(min_size=1, max_size=8)
lengths = st.integers(0, 4000)


def noise(count, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)


def power_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12)


@quick
@given(keys, st.integers(0, 5), st.integers(0, 5), lengths)
def test_the_same_seed_epoch_and_key_give_the_same_audio(key, epoch, seed, count):
    samples = noise(count)
    first, second = (Spoiler(EVERYTHING, RATE_HZ, seed)(samples, key, epoch) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.abs(first).max(initial=0) <= 1.0


def test_epochs_and_keys_differ():
    spoiler, samples = Spoiler(EVERYTHING, RATE_HZ), tones("ab")
    made = [spoiler(samples, key, epoch) for key in "xy" for epoch in range(3)]
    assert all(not np.array_equal(a, b) for i, a in enumerate(made) for b in made[:i])
    assert {spoiler.speed("x", epoch) for epoch in range(30)} == {0.9, 1.0, 1.1}


@quick
@given(lengths, st.floats(0.5, 2.0))
def test_speed_changes_the_length(count, speed):
    assert abs(len(change_speed(noise(count), speed, RATE_HZ)) - count / speed) <= 2 + count * 1e-3


def test_speed_moves_the_pitch():
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    fast = change_speed(tone, 1.1, RATE_HZ)
    peak = np.abs(np.fft.rfft(fast)).argmax() * RATE_HZ / len(fast)
    assert peak == pytest.approx(1100, abs=3)


@quick
@given(st.floats(-10, 40), st.integers(1, 9000))
def test_noise_is_as_strong_as_asked(snr_db, noise_length):
    samples = tones("abc")
    added = add_noise(samples, noise(noise_length, 3), snr_db, np.random.default_rng(0)) - samples
    assert power_db(samples) - power_db(added) == pytest.approx(snr_db, abs=0.1)


def test_silence_and_nothing_stay():
    random, nothing = np.random.default_rng(0), np.zeros(0, np.float32)
    silence = np.zeros(1000, np.float32)
    assert not add_noise(silence, noise(10), 5, random).any()
    assert np.array_equal(add_noise(tones("a"), silence, 5, random), tones("a"))
    for made in (change_volume(nothing, 3), reverberate(nothing, noise(5)), add_noise(nothing, noise(5), 3, random)):
        assert len(made) == 0


@quick
@given(st.floats(-40, 40))
def test_volume_never_clips(gain_db):
    samples = tones("ab")
    louder = change_volume(samples, gain_db)
    assert np.abs(louder).max() <= 1.0
    assert np.corrcoef(samples, louder)[0, 1] > 0.9999


@quick
@given(st.integers(1, 4000), st.integers(0, 99))
def test_a_room_keeps_length_place_and_power(count, seed):
    samples = noise(count, seed)
    room = synthetic_room(np.random.default_rng(seed), RATE_HZ)
    wet = reverberate(samples, room)
    assert len(wet) == count
    assert power_db(wet) == pytest.approx(power_db(samples), abs=0.1)
    delayed = np.concatenate([np.zeros(300, np.float32), room])
    assert np.allclose(reverberate(samples, delayed), wet, atol=1e-5), "the way to the microphone is taken off"


def test_a_room_is_a_convolution():
    samples, room = noise(500), np.array([1.0, 0, 0, 0.5], np.float32)
    expected = np.convolve(samples, room)[:500]
    wet = reverberate(samples, room)
    assert np.allclose(wet / np.linalg.norm(wet), expected / np.linalg.norm(expected), atol=1e-5)


@quick
@given(st.integers(1, 5000))
def test_the_telephone_keeps_the_length(count):
    assert len(telephone(noise(count), RATE_HZ)) == count


def test_the_telephone_cuts_the_band():
    spectrum = np.abs(np.fft.rfft(telephone(noise(RATE_HZ), RATE_HZ)))
    hertz = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    inside = spectrum[(hertz > 400) & (hertz < 3300)].mean()
    assert spectrum[hertz > 4200].mean() < 0.02 * inside
    assert spectrum[hertz < 250].mean() < 0.1 * inside


def test_mu_law_is_finer_for_soft_sounds():
    values = np.array([0.001, 0.01, 0.1, 0.9, -0.5, 0.0], np.float32)
    assert np.all(np.abs(mu_law(values) - values) <= 0.03 * np.abs(values) + 1e-4)


def test_coloured_noise_is_bounded():
    made = coloured_noise(np.random.default_rng(1), 1000)
    assert np.abs(made).max() == pytest.approx(1.0)


def test_recordings_of_noise_and_rooms_are_used(tmp_path):
    for name in ("noise", "rooms"):
        (tmp_path / name / "deep").mkdir(parents=True)
    soundfile.write(tmp_path / "noise" / "deep" / "n.wav", noise(8000), 8000)
    soundfile.write(tmp_path / "rooms" / "deep" / "r.flac", synthetic_room(np.random.default_rng(0), RATE_HZ), RATE_HZ)
    config = preset("none", str(tmp_path / "noise"), str(tmp_path / "rooms"))
    spoiler = Spoiler(config, RATE_HZ)
    assert [path.name for path in (*spoiler.noises, *spoiler.rooms)] == ["n.wav", "r.flac"]
    samples = tones("ab")
    changed = [not np.array_equal(spoiler(samples, "k", epoch), samples) for epoch in range(20)]
    assert 0 < sum(changed) < 20


def test_presets():
    assert preset("none") is None
    light = preset("light")
    assert (light.noise_share, light.room_share, light.telephone_share) == (0, 0, 0)
    assert preset("full") == WaveformConfig()
    with pytest.raises(OptionError, match="none, light, full"):
        preset("much")


def test_folders_without_audio_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no audio"):
        Spoiler(WaveformConfig(noise_dir=str(tmp_path)), RATE_HZ)
    with pytest.raises(OptionError, match="no directory"):
        Spoiler(WaveformConfig(room_dir=str(tmp_path / "x")), RATE_HZ)
