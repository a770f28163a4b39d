"""Mix the training set and store its filter bank frames and labels.

python prepare.py --data DATA --out WORK --items 2400
python prepare.py --data DATA --out WORK2 --items 900 --seed 2 --hard
"""

from __future__ import annotations

import argparse
from pathlib import Path

import corpus
import numpy as np
import spoil
from corpus import RATE, Labels, Recording, Samples

from uniasr.configs.frontend import FrontendConfig
from uniasr.features.fbank import Fbank

SECONDS = 10.0


class Mixer:
    """Draws training items; `hard` ones have more babble, and noises that exist nowhere."""

    def __init__(self, data: Path, *, hard: bool) -> None:
        self.hard = hard
        self.english = corpus.read_english(data, "train")
        self.words = corpus.japanese_words(data)
        self.synthetic = corpus.synthetic(data)
        self.noises = corpus.noises(data, held_back=False)

    def draw(self, random: np.random.Generator) -> tuple[Samples, Labels]:
        """One mixture and its frames of speech."""
        length = int(SECONDS * RATE)
        kind = random.random()
        if kind < 0.12:
            speech, labels = np.zeros(length, np.float32), np.zeros(length // corpus.HOP, np.bool_)
        elif kind < 0.55:
            speech, labels = spoil.conversation(self.english, SECONDS, random, (0.1, 3.0))
        elif kind < 0.78:
            speech, labels = spoil.conversation(self.words, SECONDS, random, (0.0, 2.0))
        else:
            speech, labels = spoil.conversation(self.synthetic, SECONDS, random, (0.1, 3.0))
        if random.random() < 0.35:
            speech = spoil.room(speech, random)
        samples = speech + random.standard_normal(length).astype(np.float32) * 10 ** random.uniform(-5.5, -3)
        if random.random() < 0.9:
            samples = spoil.mixed(speech, labels, self._noise(length, random), random.uniform(-5, 25))
            if random.random() < 0.25:
                samples = spoil.mixed(samples, labels, self._noise(length, random), random.uniform(0, 25))
        if random.random() < 0.2:
            samples = spoil.line(samples, random)
        return spoil.levelled(samples, random), labels

    def _noise(self, length: int, random: np.random.Generator) -> Samples:
        if self.hard and random.random() < 0.8:
            return self._hard_noise(length, random)
        kind = random.random()
        if kind < 0.40:
            return spoil.looped(spoil.pick(self.noises, random), length, random)
        if kind < 0.52:
            return spoil.bursts(self.noises, length, random)
        if kind < 0.66:
            return spoil.coloured(length, random)
        if kind < 0.72:
            return spoil.hum(length, random)
        if kind < 0.77:
            return spoil.clicks(length, random)
        if kind < 0.89:
            return spoil.music(length, random)
        return self._babble(length, random)

    def _hard_noise(self, length: int, random: np.random.Generator) -> Samples:
        kind = random.random()
        if kind < 0.4:
            return self._babble(length, random)
        if kind < 0.55:
            return spoil.pulsing(length, random)
        noise = spoil.looped(spoil.reshaped(spoil.pick(self.noises, random), random), length, random)
        if kind < 0.75:
            noise = noise / (np.std(noise) + 1e-9)
            other = spoil.looped(spoil.reshaped(spoil.pick(self.noises, random), random), length, random)
            noise += other / (np.std(other) + 1e-9) * random.uniform(0.2, 1)
        return noise

    def _babble(self, length: int, random: np.random.Generator) -> Samples:
        voices: list[Recording] = self.english if random.random() < 0.6 else self.synthetic
        fewest, each = (4, 1) if self.hard else (6, 3)
        return spoil.babble(voices, length, random, fewest=fewest, each=each)


def main() -> None:
    """Write WORK/frames.npy [items, T, 80] float16 and WORK/labels.npy [items, T]."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--items", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    mixer, fbank = Mixer(options.data, hard=options.hard), Fbank(FrontendConfig())
    num_frames = (int(SECONDS * RATE) - corpus.WINDOW) // corpus.HOP + 1
    shape = (options.items, num_frames, 80)
    frames = np.lib.format.open_memmap(options.out / "frames.npy", "w+", np.float16, shape)
    labels = np.zeros(shape[:2], np.bool_)
    for item in range(options.items):
        samples, speech = mixer.draw(np.random.default_rng([options.seed, item]))
        frames[item], labels[item] = fbank.frames(samples), speech[:num_frames]
        if item % 100 == 0:
            print(f"{item} of {options.items}", flush=True)
    frames.flush()
    np.save(options.out / "labels.npy", labels)
    print(f"{shape[0] * shape[1] / 360_000:.2f} h, {labels.mean():.1%} of it speech")


if __name__ == "__main__":
    main()
