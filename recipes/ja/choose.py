"""Which of several weights to package, without the development sets: kana errors on the calibration recordings.

    python choose.py MODEL... --data DATA --calibration SYNTH/cal_hts SYNTH/cal_kokoro

Each set as it is, with recorded noise (backwards) at 10 dB, and through a random microphone; offline, the converter
judging.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.signal
from corpus import Samples, noises, synthetic
from development import Trial, with_noise
from evaluate import measure

import uniasr

MOST = 100
"""Recordings of each set."""
TAPS = 1024
SLOPES_DB = 3.0
"""Standard deviation of each of the four slow waves over the frequencies that a microphone's gain is made up of."""


def microphone(samples: Samples, random: np.random.Generator) -> Samples:
    """The samples through a filter of smooth gain."""
    place = np.sqrt(2 * np.fft.rfftfreq(TAPS))
    gain_db = sum(random.normal(0, SLOPES_DB) * np.cos(np.pi * wave * place) for wave in range(1, 5))
    response = np.roll(np.fft.irfft(10 ** (gain_db / 20)), TAPS // 2) * np.hanning(TAPS)
    return scipy.signal.fftconvolve(samples, response, mode="same").astype(np.float32)


def trials(data: Path, folders: list[Path]) -> Iterator[Trial]:
    """All sets under all conditions."""
    backwards = [noise[::-1] for noise in noises(data / "noise")]
    for folder in folders:
        recordings = tuple(synthetic(folder)[:MOST])
        yield Trial(folder.name, recordings)
        yield Trial(folder.name, recordings, "noise", 10, with_noise(backwards, 10))
        yield Trial(folder.name, recordings, "microphone", None, microphone)


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    for path in options.models:
        model = uniasr.load_model(path)
        pair = ("offline", model.config.modes["offline"].latency)
        print(path.name)
        for trial in trials(options.data, options.calibration):
            counts = measure(model, trial, pair, output="kana").scores[0].counts
            print(f"  {trial.set:12} {trial.noise or '':12} {100 * counts.rate:6.2f}", flush=True)


if __name__ == "__main__":
    main()
