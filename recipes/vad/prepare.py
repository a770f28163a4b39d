"""Mix the training set and store its filter bank frames and labels.

python prepare.py --data DATA [--speech DIR...] [--sounds DIR...] --out WORK --items 9000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import corpus
import model
import numpy as np
import spoil
from corpus import RATE, Labels, Recording, Samples

from uniasr.features.fbank import Fbank

SECONDS = 10.0
FLAVOURS = {
    "recording": 0.16,
    "reshaped recording": 0.20,
    "two reshaped recordings": 0.08,
    "short sounds": 0.10,
    "coloured": 0.08,
    "pulsing": 0.06,
    "glides": 0.06,
    "hum": 0.05,
    "knocks": 0.03,
    "tunes": 0.08,
    "babble": 0.10,
}
"""How often each kind of noise is drawn."""


class Mixer:
    """Draws training items.

    Args:
        data: the corpora.
        more_speech: folders of synthetic sentences beside the neural ones of the corpora.
        more_noise: folders of music and effects; together they are drawn as often as the recorded noises.
    """

    def __init__(self, data: Path, more_speech: Sequence[Path], more_noise: Sequence[Path]) -> None:
        self.english = corpus.read_english(data, "training")
        self.words = corpus.japanese_words(data)
        folders = [data / "ja_synth_kokoro", *more_speech]
        self.synthetic = [recording for folder in folders for recording in corpus.synthetic(folder)]
        self.noises = corpus.noises(data, "training")
        more = [recording for folder in more_noise for recording in corpus.sounds(folder)]
        self.noises = self.noises * max(1, len(more) // len(self.noises)) + more

    def draw(self, random: np.random.Generator) -> tuple[Samples, Labels]:
        """One mixture and its frames of speech."""
        length = int(SECONDS * RATE)
        kind = random.random()
        if kind < 0.12:
            speech, labels = np.zeros(length, np.float32), np.zeros(length // corpus.HOP, np.bool_)
        elif kind < 0.65:
            speech, labels = spoil.conversation(self.english, SECONDS, random, (0.1, 3.0))
        elif kind < 0.80:
            speech, labels = spoil.conversation(self.words, SECONDS, random, (0.0, 2.0))
        else:
            speech, labels = spoil.conversation(self.synthetic, SECONDS, random, (0.1, 3.0))
        if random.random() < 0.25:
            speech = spoil.room(speech, random)
        samples = speech + random.standard_normal(length).astype(np.float32) * 10 ** random.uniform(-5.5, -3)
        if random.random() < 0.9:
            samples = spoil.mixed(speech, labels, self._noise(length, random), random.uniform(-5, 28))
            if random.random() < 0.25:
                samples = spoil.mixed(samples, labels, self._noise(length, random), random.uniform(0, 28))
        if random.random() < 0.15:
            samples = spoil.line(samples, random)
        return spoil.levelled(samples, random), labels

    def _noise(self, length: int, random: np.random.Generator) -> Samples:
        flavour = random.choice(list(FLAVOURS), p=list(FLAVOURS.values()))
        noise = self._plain(flavour, length, random)
        return spoil.gusts(noise, random) if random.random() < 0.2 else noise

    def _plain(self, flavour: str, length: int, random: np.random.Generator) -> Samples:
        if flavour == "recording":
            return spoil.looped(spoil.pick(self.noises, random), length, random)
        if flavour == "reshaped recording":
            return self._reshaped(length, random)
        if flavour == "two reshaped recordings":
            return self._reshaped(length, random) + self._reshaped(length, random) * np.float32(random.uniform(0.2, 1))
        if flavour == "short sounds":
            return spoil.bursts(self.noises, length, random)
        if flavour == "babble":
            return self._babble(length, random)
        computed = {
            "coloured": spoil.coloured,
            "pulsing": spoil.pulsing,
            "glides": spoil.glides,
            "hum": spoil.hum,
            "knocks": spoil.clicks,
            "tunes": spoil.music,
        }
        return computed[flavour](length, random)

    def _reshaped(self, length: int, random: np.random.Generator) -> Samples:
        """A recording changed by chance, as loud as any other."""
        noise = spoil.looped(spoil.reshaped(spoil.pick(self.noises, random), random), length, random)
        return noise / (np.std(noise) + np.float32(1e-9))

    def _babble(self, length: int, random: np.random.Generator) -> Samples:
        voices: list[Recording] = self.english if random.random() < 0.6 else self.synthetic
        return spoil.babble(voices, length, random, fewest=4, each=int(random.integers(1, 4)))


def main() -> None:
    """Write WORK/frames.npy [items, T, n_mels] float16 and WORK/labels.npy [items, 2 T], a label per 10 ms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--speech", type=Path, nargs="*", default=[], help="folders of further synthetic sentences")
    parser.add_argument("--sounds", type=Path, nargs="*", default=[], help="folders of music and effects")
    parser.add_argument("--items", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    mixer, fbank = Mixer(options.data, options.speech, options.sounds), Fbank(model.FRONTEND)
    num_frames = fbank.count(int(SECONDS * RATE))
    shape = (options.items, num_frames, model.FRONTEND.n_mels)
    frames = np.lib.format.open_memmap(options.out / "frames.npy", "w+", np.float16, shape)
    labels = np.zeros((options.items, 2 * num_frames), np.bool_)
    for item in range(options.items):
        samples, speech = mixer.draw(np.random.default_rng([options.seed, item]))
        frames[item], labels[item] = fbank.frames(samples), speech[: 2 * num_frames]
        if item % 100 == 0:
            print(f"{item} of {options.items}", flush=True)
    frames.flush()
    np.save(options.out / "labels.npy", labels)
    print(f"{options.items * SECONDS / 3600:.2f} h, {labels.mean():.1%} of it speech")


if __name__ == "__main__":
    main()
