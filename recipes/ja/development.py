"""What the model is measured on: recordings by set, as they are and with noise or voices mixed in.

No recording here is trained on. The voices are, all but those of the real sentences, and so are the recorded noises,
which are played backwards here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import RATE, Recording, Samples, noises, real_sentences, real_words, synthetic
from spoil import mixed

PAD = np.zeros(int(0.3 * RATE), np.float32)
"""Silence before and after every recording: the words are cut close."""
NOISE_DB = (25, 20, 15, 10, 5, 0)
BABBLE_DB = 10
UNHEARD_DB = 10
VOICES = 5
"""Speakers in the babble."""
NOISY = 150
"""Sentences that are heard with noise."""
SHIFT_S = 1.0
"""Noise starts somewhere in its first second."""

Disturb = Callable[[Samples, np.random.Generator], Samples]


@dataclass(frozen=True)
class Trial:
    """A set of recordings under one condition."""

    set: str
    recordings: tuple[Recording, ...]
    noise: str | None = None
    """What is mixed in: recorded noise, babble, or nothing."""
    snr_db: float | None = None
    disturb: Disturb | None = None

    @property
    def name(self) -> str:
        """As it is printed."""
        return self.set if self.noise is None else f"{self.set}, {self.noise} {self.snr_db} dB"

    def audio(self) -> list[Samples]:
        """Decoded, padded, disturbed; a sentence meets the same noise at every level."""
        padded = [np.concatenate([PAD, recording.samples(), PAD]) for recording in self.recordings]
        if self.disturb is None:
            return padded
        return [self.disturb(samples, np.random.default_rng([7, i])) for i, samples in enumerate(padded)]


def development_sets(data: Path, hts_dev: Path) -> dict[str, list[Recording]]:
    """Recordings by set name, without the silence around them."""
    return {
        "synthetic-kokoro": synthetic(data / "ja_synth_dev"),
        "synthetic-hts": synthetic(hts_dev),
        "real-words": [recording for recording in real_words(data / "ja_real") if recording.split == "dev"],
        "real-sentences": real_sentences(data / "ja_real"),
    }


def clean_trials(data: Path, hts_dev: Path, limit: int | None = None, unseen: Sequence[Path] = ()) -> Iterator[Trial]:
    """Every set as it is, then those of the given folders of synthetic speech, named as the folders are."""
    more = {folder.name: synthetic(folder) for folder in unseen}
    for name, recordings in (development_sets(data, hts_dev) | more).items():
        yield Trial(name, tuple(recordings[:limit]))


def noisy_trials(
    data: Path, hts_dev: Path, limit: int | None = None, levels: tuple[float, ...] = NOISE_DB
) -> Iterator[Trial]:
    """Neural sentences with recorded noise at several levels, and with babble of HTS voices at one."""
    sentences = tuple(synthetic(data / "ja_synth_dev")[:NOISY][:limit])
    backwards = [noise[::-1] for noise in noises(data / "noise")]
    for level in levels:
        yield Trial("synthetic-kokoro", sentences, "noise", level, with_noise(backwards, level))
    voices = synthetic(hts_dev)
    yield Trial("synthetic-kokoro", sentences, "babble", BABBLE_DB, _babble(voices, BABBLE_DB))


def unheard_trials(folders: Sequence[Path], sounds: Path, limit: int | None = None) -> Iterator[Trial]:
    """Speech of the given folders among sounds that nothing was trained on (`heldout_sounds.py`)."""
    disturb = with_noise(noises(sounds), UNHEARD_DB)
    for folder in folders:
        yield Trial(folder.name, tuple(synthetic(folder)[:limit]), "unheard sounds", UNHEARD_DB, disturb)


def with_noise(recorded: list[Samples], level: float) -> Disturb:
    """A drawn recording of noise, so many dB below the speech."""

    def disturb(samples: Samples, random: np.random.Generator) -> Samples:
        noise = recorded[random.integers(len(recorded))]
        return mixed(samples, _stretch(noise, len(samples), random), level)

    return disturb


def _babble(voices: list[Recording], level: float) -> Disturb:
    def disturb(samples: Samples, random: np.random.Generator) -> Samples:
        chosen = [voices[i].samples() for i in random.integers(0, len(voices), VOICES)]
        return mixed(samples, sum(_stretch(voice, len(samples), random) for voice in chosen), level)

    return disturb


def _stretch(noise: Samples, length: int, random: np.random.Generator) -> Samples:
    return np.resize(np.roll(noise, int(random.integers(SHIFT_S * RATE))), length)
