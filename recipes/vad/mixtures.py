"""Mix speech and noises that were not trained on at fixed ratios, with labels: to measure with, or to choose by.

python mixtures.py --data DATA --out HELD --seconds 60
python mixtures.py --data DATA --out VALIDATION --part validation
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import corpus
import numpy as np
import spoil
from corpus import LONG_NOISES, Part, Recording, Samples

RATIOS_DB = (20, 15, 10, 5, 0)
Maker = Callable[[int, np.random.Generator], Samples]


def makers(data: Path, part: Part) -> dict[str, Maker]:
    """Noises by name: recordings and voices of that part, and what is computed (with another seed)."""
    recorded = corpus.noises(data, part)
    found = {kind: _recording(recorded, kind) for kind in LONG_NOISES[part]}
    short = [noise for noise in recorded if noise.who not in LONG_NOISES[part]]
    voices = corpus.read_english(data, part)[::2]
    return {
        **found,
        "machines": lambda length, random: spoil.looped(_several(short, random), length, random),
        "events": lambda length, random: spoil.bursts(short, length, random),
        "babble": lambda length, random: spoil.babble(voices, length, random),
        "music": spoil.music,
        "hum": spoil.hum,
        "white": lambda length, random: random.standard_normal(length).astype(np.float32),
    }


def _recording(recordings: list[Recording], kind: str) -> Maker:
    (one,) = (recording for recording in recordings if recording.who == kind)
    return lambda length, random: spoil.looped(one.samples(), length, random)


def _several(recordings: list[Recording], random: np.random.Generator) -> Samples:
    """Eight sounds one after another, equally loud."""
    sounds = [spoil.pick(recordings, random) for _ in range(8)]
    return np.concatenate([sound / (np.sqrt(np.mean(sound**2)) + 1e-6) for sound in sounds])


def main() -> None:
    """Write HELD/NOISE_RATIO.npz with `samples` (int16) and `speech` (a label per 10 ms) each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--part", choices=("held back", "validation"), default="held back")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    speakers = corpus.read_english(options.data, options.part)[1::2]
    if options.part == "held back":
        speakers += 20 * corpus.japanese_sentences(options.data)
    for number, (name, make) in enumerate(sorted(makers(options.data, options.part).items())):
        for ratio in RATIOS_DB:
            random = np.random.default_rng([7, number, ratio])
            speech, labels = spoil.conversation(speakers, options.seconds, random, (0.3, 3.0))
            samples = spoil.mixed(speech, labels, make(len(speech), random), ratio)
            samples *= 10 ** (-random.uniform(3, 20) / 20) / np.abs(samples).max()
            pcm = np.round(samples * 32767).astype(np.int16)
            np.savez_compressed(options.out / f"{name}_{ratio}.npz", samples=pcm, speech=labels)
    print(f"{options.out}: {len(list(options.out.glob('*.npz')))} mixtures of {options.seconds:g} s")


if __name__ == "__main__":
    main()
