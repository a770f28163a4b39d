"""A fourth store: all speech again under harder conditions than `spoil.py` draws, other voices behind it among them.

    python prepare_noisy.py --data DATA --speech SYNTH/hts SYNTH/hts2 SYNTH/kokoro2 --out WORK4

The first three stores made a model for clear speech: at 10 dB, or on a telephone, it heard little.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepare
import scipy.signal
import soundfile
from corpus import RATE, Recording, Samples, english, real_words, synthetic
from prepare import Plan, Worker, joined, pad, rows_of
from sounds import sound
from spoil import at_some_level, mixed, room

from uniasr.audio.resample import resample
from uniasr.types import F32

SPEED = (0.85, 1.2)
NOISE_DB = (-2.0, 22.0)
"""Speech over noise."""
BABBLE = (1, 8)
"""Voices in the background."""
VOICE_STEP = 6
"""Every sixth neural recording, and real one of English, is one of them."""


def plans(data: Path, speech: list[Path]) -> Iterator[Plan]:
    """Every synthetic sentence once, the given neural speech twice; words joined by 1 to 5, twice; in random order."""
    random = np.random.default_rng(41)
    neural = synthetic(data / "ja_synth_kokoro")
    found: list[tuple[Recording, ...]] = [(recording,) for recording in neural * 2]
    found += [(recording,) for folder in speech for recording in synthetic(folder)]
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "train"]
    for _ in range(2):
        found += joined(words, random, (1, 6))
    for seed, i in enumerate(random.permutation(len(found))):
        yield Plan(f"{found[i][0].key}-x{seed}", found[i], True, seed)


def noise_like(random: np.random.Generator, noises: list[Samples], voices: list[Samples], count: int) -> Samples:
    """A recording of noise, several voices, a sound of a formula, or coloured noise."""
    kind = random.random()
    if kind < 0.5:
        noise = noises[random.integers(len(noises))]
        return np.resize(np.roll(noise, -random.integers(len(noise))), count)
    if kind < 0.8:
        found = [voices[i] for i in random.integers(0, len(voices), int(random.integers(*BABBLE)))]
        return sum((np.resize(np.roll(voice, -random.integers(len(voice))), count) for voice in found), np.zeros(count))
    if kind < 0.88:
        return sound(random, count)
    return scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.0, 0.98)], random.standard_normal(count))


def channel(samples: Samples, random: np.random.Generator) -> Samples:
    """What lies between a mouth and a recogniser: a telephone line, a codec, a dull or thin microphone, or nothing."""
    kind = random.random()
    if kind < 0.2:
        band = scipy.signal.butter(
            4, (random.uniform(200, 350), random.uniform(3000, 3700)), "band", fs=RATE, output="sos"
        )
        samples = scipy.signal.sosfilt(band, samples)
        peak = float(np.abs(samples).max()) + 1e-9
        coded = np.round(np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256) * 127) / 127
        return (np.sign(coded) * (256 ** np.abs(coded) - 1) / 255 * peak).astype(np.float32)
    if kind < 0.25:
        file = io.BytesIO()
        peak = float(np.abs(samples).max()) + 1e-9
        level = random.uniform(0.955, 0.99)  # 8 to 17 kbit/s
        soundfile.write(file, samples * (0.5 / peak), RATE, format="OGG", subtype="OPUS", compression_level=level)
        file.seek(0)
        return soundfile.read(file, dtype="float32")[0]
    if kind < 0.45:
        return scipy.signal.lfilter([1.0, random.uniform(-0.7, 0.7)], [1.0], samples).astype(np.float32)
    return samples


class NoisyWorker(Worker):
    """Speed, room, noise, channel and level, each drawn."""

    def __init__(self, copy: int, noise_folders: list[Path], voices: list[Recording]) -> None:
        super().__init__(copy, noise_folders)
        self.voices = [voice.samples() for voice in voices[::VOICE_STEP]]

    def rows(self, plan: Plan) -> F32:
        """Feature rows before CMVN."""
        random = self.random(43, plan)
        samples = np.concatenate([pad(part.samples(), random, 0.05, 0.6) for part in plan.parts])
        if random.random() < 0.5:
            samples = resample(samples.astype(np.float32), round(RATE * random.uniform(*SPEED)), RATE)
        if random.random() < 0.35:
            samples = room(samples, random)
        floor = random.standard_normal(len(samples)) * 10 ** random.uniform(-5, -3.5)
        samples = (samples + floor).astype(np.float32)
        if random.random() < 0.85:
            noise = noise_like(random, self.noises, self.voices, len(samples))
            samples = mixed(samples, noise, random.uniform(*NOISE_DB))
        samples = channel(samples, random)
        return rows_of(self.front_end, at_some_level(samples, random))


def main() -> None:
    """Write the store."""
    parser = prepare.command(__doc__)
    parser.add_argument("--speech", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    voices = synthetic(options.data / "ja_synth_kokoro") + english(options.data / "en_read")
    prepare.write_train(options, plans(options.data, options.speech), NoisyWorker, voices)


if __name__ == "__main__":
    main()
