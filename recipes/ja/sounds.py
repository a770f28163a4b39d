"""Sounds without words, drawn from formulas: music, engines, calls, knocks, weather; no recording and no licence.

The recorded environment sounds are few (14 minutes), and a model that has heard those alone learns them, not the rule.
"""

from __future__ import annotations

import numpy as np
import scipy.signal
from corpus import RATE, Samples

SCALE = np.array([0, 2, 3, 5, 7, 8, 10])
"""Steps of a minor scale in half-tones."""


def sound(random: np.random.Generator, count: int) -> Samples:
    """`count` samples of one drawn kind, at a peak of 1."""
    made = KINDS[random.integers(len(KINDS))](random, count)
    return (made / (np.abs(made).max() + 1e-9)).astype(np.float32)


def music(random: np.random.Generator, count: int) -> Samples:
    """Notes of one instrument in a beat, one to four at a time."""
    out = np.zeros(count)
    beat = int(RATE * random.uniform(0.12, 0.6))
    harmonics, decay = 1 / np.arange(1, random.integers(2, 12)) ** random.uniform(0.5, 2), random.uniform(0.5, 8)
    root = 55 * 2 ** random.uniform(0, 3)
    length = int(beat * random.uniform(0.8, 4))
    time_s = np.arange(length) / RATE
    vibrato = random.choice([0, 0, 0.004]) * np.sin(2 * np.pi * random.uniform(4, 7) * time_s)
    envelope = np.minimum(1, time_s / random.uniform(0.002, 0.08)) * np.exp(-decay * time_s)
    for start in range(0, count, beat):
        if random.random() < 0.2:
            continue
        for _ in range(random.integers(1, 5)):
            hertz = root * 2 ** ((random.choice(SCALE) + 12 * random.integers(0, 3)) / 12)
            phase = 2 * np.pi * hertz * (time_s + vibrato)
            tone = sum(size * np.sin(k * phase) for k, size in enumerate(harmonics, 1) if k * hertz < RATE / 2)
            part = out[start : start + length]
            part += (tone * envelope)[: len(part)]
    return out


def engine(random: np.random.Generator, count: int) -> Samples:
    """Harmonics of a low tone that wanders, with rough noise: motors, fans, saws, hum."""
    hertz = random.uniform(20, 250) * np.exp(wander(random, count, random.uniform(0, 0.3)))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    tone = sum(random.uniform(0, 1) / k**0.7 * np.sin(k * phase) for k in range(1, 12))
    rough = coloured(random, count) * (1 + np.sin(phase)) * random.uniform(0, 1)
    return (tone + rough) * np.exp(wander(random, count, 0.5))


def calls(random: np.random.Generator, count: int) -> Samples:
    """Repeated cries: a gliding tone, pure as a bird's or rich and through a throat as a dog's, with pauses."""
    out = np.zeros(count)
    length = int(RATE * random.uniform(0.05, 0.9))
    middle, glide = np.exp(random.uniform(np.log(120), np.log(5000))), random.uniform(-1.2, 1.2)
    rich = middle < 900 and random.random() < 0.8
    start = int(RATE * random.uniform(0, 0.5))
    while start < count:
        place = np.linspace(-0.5, 0.5, length)
        hertz = middle * 2 ** (glide * place + random.normal(0, 0.1) + random.uniform(-0.6, 0.6) * place**2)
        phase = 2 * np.pi * np.cumsum(hertz) / RATE
        cry = sum(np.sin(k * phase) / k for k in range(1, 12)) if rich else np.sin(phase)
        cry = (cry + random.uniform(0, 0.5) * random.standard_normal(length)) * np.hanning(length)
        if rich:
            cry = resonant(cry, random.uniform(300, 2500), random.uniform(100, 600))
        part = out[start : start + length]
        part += cry[: len(part)]
        start += int(length * random.uniform(0.9, 1.2) + RATE * random.exponential(0.4))
    return out


def knocks(random: np.random.Generator, count: int) -> Samples:
    """Struck bodies: bursts that ring at a few frequencies, in a beat or at random times."""
    length = int(RATE * random.uniform(0.02, 0.6))
    time_s = np.arange(length) / RATE
    rings = [
        (random.uniform(60, 6000), random.uniform(5, 120), random.uniform(0, 1)) for _ in range(random.integers(1, 6))
    ]
    body = sum(size * np.sin(2 * np.pi * hertz * time_s) * np.exp(-decay * time_s) for hertz, decay, size in rings)
    burst = random.standard_normal(length) * np.exp(-time_s * random.uniform(20, 400))
    struck = body + burst * random.uniform(0, 1)
    gap = random.uniform(0.05, 1.0)
    gaps = [gap] * 400 if random.random() < 0.5 else random.exponential(gap, 400)
    hits = np.zeros(count)
    places = (np.cumsum(gaps) * RATE).astype(int)
    places = places[places < count]
    hits[places] = random.uniform(0.3, 1, len(places))
    return scipy.signal.fftconvolve(hits, struck)[:count]


def weather(random: np.random.Generator, count: int) -> Samples:
    """Coloured noise in gusts: wind, rain, surf, crowds far away, applause."""
    noise = coloured(random, count)
    if random.random() < 0.5:
        noise = resonant(noise, random.uniform(200, 4000), random.uniform(100, 3000))
    return noise * np.exp(wander(random, count, random.uniform(0, 1.5)))


def beeps(random: np.random.Generator, count: int) -> Samples:
    """One or two tones switched on and off: telephones, alarms, microwave ovens, sirens."""
    time_s = np.arange(count) / RATE
    tones = sum(np.sin(2 * np.pi * np.exp(random.uniform(np.log(200), np.log(4000))) * time_s) for _ in range(2))
    period, share = random.uniform(0.1, 2), random.uniform(0.2, 0.8)
    return tones * ((time_s / period) % 1 < share) * (1 + random.uniform(0, 1) * np.sin(2 * np.pi * 20 * time_s))


def coloured(random: np.random.Generator, count: int) -> Samples:
    """Noise, white to brown."""
    return scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.0, 0.99)], random.standard_normal(count))


def resonant(samples: Samples, hertz: float, width: float) -> Samples:
    """The samples through one resonance."""
    radius = np.exp(-np.pi * width / RATE)
    return scipy.signal.lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hertz / RATE), radius**2], samples)


def wander(random: np.random.Generator, count: int, size: float) -> Samples:
    """A slow random curve of that standard deviation, a new bend about twice a second."""
    bends = random.normal(0, size, count // (RATE // 2) + 3)
    return np.interp(np.arange(count) / (RATE / 2), np.arange(len(bends)), bends)


KINDS = (music, engine, calls, knocks, weather, beeps)
