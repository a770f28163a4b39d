"""Mixtures that a microphone may hear: speech and pauses, a room, noise, music, a line, a level.

All is drawn from one generator. The labels are those of the clean speech.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal
from corpus import HOP, RATE, Labels, Recording, Samples, speech_frames


def pick(recordings: Sequence[Recording], random: np.random.Generator) -> Samples:
    """Samples of one recording by chance."""
    return recordings[int(random.integers(len(recordings)))].samples()


def conversation(
    recordings: Sequence[Recording], seconds: float, random: np.random.Generator, pauses: tuple[float, float]
) -> tuple[Samples, Labels]:
    """Clean utterances between pauses of these lengths, and their frames of speech."""
    length = int(seconds * RATE)
    track, labels = np.zeros(length, np.float32), np.zeros(length // HOP, np.bool_)
    at = int(random.uniform(0, pauses[1]) * RATE) // HOP * HOP
    while at < length:
        samples = pick(recordings, random)
        samples = samples / (np.abs(samples).max() + 1e-9) * 10 ** (-random.uniform(0, 6) / 20)
        room = min(len(samples), length - at)
        track[at : at + room] += samples[:room]
        frames = speech_frames(samples)[: len(labels) - at // HOP]
        labels[at // HOP : at // HOP + len(frames)] |= frames
        at += len(samples) + int(random.uniform(*pauses) * RATE)
        at = at // HOP * HOP
    return track, labels


def room(samples: Samples, random: np.random.Generator) -> Samples:
    """Direct sound plus a tail of decaying noise (T60 0.15 to 0.7 s), a rough image of a room."""
    t60 = random.uniform(0.15, 0.7)
    tail = random.standard_normal(int(RATE * t60)) * np.exp(-6.9 * np.arange(int(RATE * t60)) / (RATE * t60))
    tail[: int(RATE * random.uniform(0.001, 0.01))] = 0
    tail *= 10 ** (-random.uniform(2, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return scipy.signal.fftconvolve(samples, tail.astype(np.float32))[: len(samples)].astype(np.float32)


def looped(noise: Samples, length: int, random: np.random.Generator) -> Samples:
    """A noise recording from a place by chance, repeated as needed."""
    return np.resize(np.roll(noise, -int(random.integers(len(noise)))), length).astype(np.float32)


def reshaped(noise: Samples, random: np.random.Generator) -> Samples:
    """A noise recording at another speed (0.6 to 1.6), at times backwards, through a filter by chance."""
    places = np.arange(0, len(noise) - 1, random.uniform(0.6, 1.6))
    samples = np.interp(places, np.arange(len(noise)), noise[:: -1 if random.random() < 0.5 else 1])
    numerator = np.concatenate([[1.0], random.uniform(-0.6, 0.6, 3)])
    return scipy.signal.lfilter(numerator, [1.0, random.uniform(-0.7, 0.7)], samples).astype(np.float32)


def bursts(recordings: Sequence[Recording], length: int, random: np.random.Generator) -> Samples:
    """Short sounds here and there."""
    track = np.zeros(length, np.float32)
    for _ in range(int(random.integers(2, 8))):
        sound = pick(recordings, random)[: int(random.uniform(0.2, 3) * RATE)]
        at = int(random.integers(length))
        room_left = min(len(sound), length - at)
        track[at : at + room_left] += sound[:room_left] * np.float32(10 ** (-random.uniform(0, 15) / 20))
    return track


def coloured(length: int, random: np.random.Generator) -> Samples:
    """White to brown noise whose level may waver slowly."""
    noise = scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.0, 0.97)], random.standard_normal(length))
    if random.random() < 0.4:
        noise *= 1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.1, 3) * np.arange(length) / RATE)
    return noise.astype(np.float32)


def pulsing(length: int, random: np.random.Generator) -> Samples:
    """A band of noise that comes and goes as often as syllables do: engines, rails, machines."""
    low = random.uniform(50, 1500)
    band = scipy.signal.butter(2, [low, min(7800.0, low * random.uniform(2, 20))], "bandpass", fs=RATE, output="sos")
    noise = scipy.signal.sosfilt(band, random.standard_normal(length))
    swing = np.sin(
        2 * np.pi * np.cumsum(random.uniform(0.8, 12) * (1 + coloured(length // 1600 + 1, random) * 0.05)) / 10
    )
    envelope = np.interp(
        np.arange(length) / 1600, np.arange(len(swing)), np.maximum(0, swing) ** random.uniform(0.5, 2)
    )
    return (noise * (envelope + random.uniform(0.02, 0.4))).astype(np.float32)


def gusts(noise: Samples, random: np.random.Generator) -> Samples:
    """The noise with a level that wanders by some 10 dB: wind, rain, traffic."""
    steps = len(noise) // 800 + 2
    walk = scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.8, 0.995)], random.standard_normal(steps))
    decibels = walk / (walk.std() + 1e-9) * random.uniform(2, 9)
    return (noise * 10 ** (np.interp(np.arange(len(noise)) / 800, np.arange(steps), decibels) / 20)).astype(np.float32)


def glides(length: int, random: np.random.Generator) -> Samples:
    """Harmonic tones whose pitch wanders and that come and go: horns, sirens, animals, engines that are revved up."""
    track, at = np.zeros(length, np.float32), int(random.uniform(0, 1) * RATE)
    lowest, highest = 60 * 2 ** random.uniform(0, 4), random.uniform(1, 2.5)
    weights = random.uniform(0.1, 1, int(random.integers(1, 13)))
    while at < length:
        size = min(int(random.uniform(0.05, 2.5) * RATE), length - at)
        ends = lowest * random.uniform(1, highest, 2)
        wobble = random.uniform(0, 0.05) * np.sin(2 * np.pi * random.uniform(2, 30) * np.arange(size) / RATE)
        phase = 2 * np.pi * np.cumsum(np.linspace(*ends, size) * (1 + wobble)) / RATE
        tone = sum(weight * np.sin(k * phase) for k, weight in enumerate(weights, 1) if k * ends.max() < RATE / 2)
        track[at : at + size] += (tone * np.hanning(size) ** random.uniform(0.1, 1)).astype(np.float32)
        at += size + int(random.exponential(0.6) * RATE)
    return track


def hum(length: int, random: np.random.Generator) -> Samples:
    """Mains hum with harmonics over the rush of a fan."""
    time = np.arange(length) / RATE
    base = random.choice([50.0, 60.0, 100.0, 120.0, random.uniform(30, 300)])
    tones = [random.uniform(0.1, 1) / k * np.sin(2 * np.pi * (base * k * time + random.random())) for k in range(1, 9)]
    return (sum(tones) + 0.3 * coloured(length, random)).astype(np.float32)


def clicks(length: int, random: np.random.Generator) -> Samples:
    """Decaying knocks, as of keys and dishes."""
    track = np.zeros(length, np.float32)
    track[random.integers(0, length, int(random.integers(5, 80)))] = random.uniform(0.2, 1)
    size = int(RATE * random.uniform(0.005, 0.05))
    decay = np.exp(-5 * np.arange(size) / size) * random.standard_normal(size)
    return scipy.signal.fftconvolve(track, decay)[:length].astype(np.float32)


def music(length: int, random: np.random.Generator) -> Samples:
    """Tunes of tones with harmonics and vibrato, chords and beats: no words."""
    track = np.zeros(length, np.float32)
    beat = random.uniform(0.12, 0.6)
    scale = 110 * 2 ** (np.cumsum(random.choice([2, 2, 1, 2, 2, 2, 1], 16)) / 12 * random.choice([0.5, 1, 1.5]))
    harmonics = 1 / np.arange(1, int(random.integers(2, 9))) ** random.uniform(0.5, 2)
    for start in np.arange(0, length / RATE, beat):
        if random.random() < 0.15:
            continue
        size = min(int(RATE * beat * random.choice([1, 2, 4])), length - int(start * RATE))
        time = np.arange(size) / RATE
        envelope = np.minimum(1, time / 0.01) * np.exp(-time * random.uniform(0.3, 6))
        for _ in range(int(random.integers(1, 4))):
            phase = 2 * np.pi * random.choice(scale) * time + 0.02 * np.sin(2 * np.pi * 5.5 * time) * random.integers(9)
            tone = sum(weight * np.sin(k * phase) for k, weight in enumerate(harmonics, start=1))
            track[int(start * RATE) : int(start * RATE) + size] += (tone * envelope).astype(np.float32)
    return track


def babble(
    recordings: Sequence[Recording], length: int, random: np.random.Generator, *, fewest: int = 6, each: int = 3
) -> Samples:
    """`fewest` to nine voices at once, who repeat `each` utterances."""
    track = np.zeros(length, np.float32)
    for _ in range(int(random.integers(fewest, 10))):
        voice = np.concatenate([pick(recordings, random) for _ in range(each)])
        track += looped(voice / (np.sqrt(np.mean(voice**2)) + 1e-9), length, random)
    return track


def mixed(speech: Samples, labels: Labels, noise: Samples, snr_db: float) -> Samples:
    """Speech plus noise; the ratio is that of speech frames to the whole noise."""
    active = np.repeat(labels, HOP)
    power = float(np.mean(speech[: len(active)][active] ** 2)) if labels.any() else 0.01
    gain = np.sqrt(power * 10 ** (-snr_db / 10) / (float(np.mean(noise**2)) + 1e-12))
    return (speech + noise * np.float32(gain)).astype(np.float32)


def line(samples: Samples, random: np.random.Generator) -> Samples:
    """A telephone line, a dull microphone or a coarse codec."""
    kind = random.integers(3)
    if kind == 0:
        band = scipy.signal.butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
        narrow = scipy.signal.sosfilt(band, samples)
        top = np.abs(narrow).max() + 1e-9
        squeezed = np.sign(narrow) * np.log1p(255 * np.abs(narrow) / top) / np.log(256)
        coarse = np.round(squeezed * 127) / 127
        return (np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255 * top).astype(np.float32)
    low = scipy.signal.butter(6, random.uniform(2500, 7500), fs=RATE, output="sos")
    dull = scipy.signal.sosfilt(low, samples).astype(np.float32)
    return dull if kind == 1 else (np.round(dull * 512) / 512).astype(np.float32)


def levelled(samples: Samples, random: np.random.Generator) -> Samples:
    """A peak of -40 to 0 dB of full scale, sometimes clipped, in 16 bits."""
    peak = float(np.abs(samples).max()) + 1e-9
    scaled = samples * (10 ** (random.uniform(-40, 3 if random.random() < 0.2 else 0) / 20) / peak)
    return (np.round(np.clip(scaled, -1, 1) * 32767) / 32768).astype(np.float32)
