"""Making clean recordings worse: silence around them, level, rooms and noise, all drawn from one generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal
from corpus import RATE, Samples


def pad(samples: Samples, random: np.random.Generator, low: float = 0.0, high: float = 0.4) -> Samples:
    """Silence of `low` to `high` seconds before and after."""
    before, after = (np.zeros(int(RATE * random.uniform(low, high)), np.float32) for _ in range(2))
    return np.concatenate([before, samples, after])


def room(samples: Samples, random: np.random.Generator) -> Samples:
    """Direct sound plus a tail of decaying noise (T60 0.15 to 0.6 s), a rough image of a room."""
    t60 = random.uniform(0.15, 0.6)
    tail = random.standard_normal(int(RATE * t60)) * np.exp(-6.9 * np.arange(int(RATE * t60)) / (RATE * t60))
    tail[: int(RATE * random.uniform(0.001, 0.01))] = 0
    tail *= 10 ** (-random.uniform(3, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return scipy.signal.fftconvolve(samples, tail.astype(np.float32))[: len(samples)].astype(np.float32)


def add_noise(samples: Samples, noises: Sequence[Samples], random: np.random.Generator) -> Samples:
    """A noise recording, or coloured noise, 5 to 30 dB below the speech."""
    if random.random() < 0.7:
        noise = noises[random.integers(len(noises))]
        start = random.integers(len(noise))
        noise = np.resize(np.roll(noise, -start), len(samples))
    else:
        noise = scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.0, 0.97)], random.standard_normal(len(samples)))
    return mixed(samples, noise, random.uniform(5, 30))


def mixed(samples: Samples, noise: Samples, ratio_db: float) -> Samples:
    """Speech with noise `ratio_db` below it, over the whole recording."""
    wanted = (float(np.mean(samples**2)) + 1e-9) * 10 ** (-ratio_db / 10)
    return (samples + noise * np.sqrt(wanted / (float(np.mean(noise**2)) + 1e-9))).astype(np.float32)


def spoil(samples: Samples, noises: Sequence[Samples], random: np.random.Generator) -> Samples:
    """One draw of all of the above, then a level of -35 to -5 dB of full scale at the peak."""
    if random.random() < 0.25:
        samples = room(samples, random)
    if random.random() < 0.45:
        samples = add_noise(samples, noises, random)
    else:  # never digital silence: recordings have a floor
        samples = samples + random.standard_normal(len(samples)).astype(np.float32) * 10 ** random.uniform(-5, -3.5)
    return at_some_level(samples, random)


def at_some_level(samples: Samples, random: np.random.Generator) -> Samples:
    """The samples with a peak 1 to 30 dB below full scale."""
    peak = float(np.abs(samples).max()) + 1e-9
    return (samples * (10 ** (-random.uniform(1, 30) / 20) / peak)).astype(np.float32)
