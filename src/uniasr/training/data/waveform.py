"""Spoiling recordings on purpose: speed, rooms, noise, the telephone, volume.

What happens to a recording is decided by (seed, epoch, key) alone, so that a resumed run, another number of processes
or another order of reading makes the same audio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from uniasr.audio.inputs import AUDIO_SUFFIXES
from uniasr.audio.load import load
from uniasr.audio.resample import resample
from uniasr.errors import DataError, OptionError
from uniasr.types import F32

TELEPHONE_HZ = 8_000
TELEPHONE_BAND_HZ = (300.0, 3_400.0)
_FLOOR = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveformConfig:
    """How often and how much; shares are probabilities, ranges are drawn from uniformly."""

    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    """One of them per recording; pitch changes with it."""
    volume_db: tuple[float, float] = (-12.0, 6.0)
    noise_dir: str | None = None
    """Noise recordings at any depth; without it noise is coloured noise."""
    noise_share: float = 0.3
    snr_db: tuple[float, float] = (5.0, 30.0)
    room_dir: str | None = None
    """Impulse responses at any depth; without it rooms are decaying noise."""
    room_share: float = 0.15
    telephone_share: float = 0.05

    def __post_init__(self) -> None:
        for name in ("noise_share", "room_share", "telephone_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie in 0..1")
        if not self.speeds or not all(0.5 <= speed <= 2 for speed in self.speeds):
            raise ValueError(f"speeds are {self.speeds}; give factors between 0.5 and 2")
        for name in ("volume_db", "snr_db"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is {low}..{high}; the smaller number comes first")


PRESETS = ("none", "light", "full")


def preset(name: str, noise_dir: str | None = None, room_dir: str | None = None) -> WaveformConfig | None:
    """What a name stands for: nothing; speed and volume; or all of it. A folder that is named is used in any case."""
    if name not in PRESETS:
        raise OptionError(f"augment is {name!r:.80}; choose one of {', '.join(PRESETS)}")
    if name == "full":
        return WaveformConfig(noise_dir=noise_dir, room_dir=room_dir)
    if name == "none" and noise_dir is None and room_dir is None:
        return None
    usual = WaveformConfig()
    return WaveformConfig(
        speeds=(1.0,) if name == "none" else usual.speeds,
        volume_db=(0.0, 0.0) if name == "none" else usual.volume_db,
        noise_dir=noise_dir,
        noise_share=usual.noise_share if noise_dir else 0.0,
        room_dir=room_dir,
        room_share=usual.room_share if room_dir else 0.0,
        telephone_share=0.0,
    )


def generator(seed: int, epoch: int, key: str, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose in one utterance of one epoch."""
    digest = hashlib.sha256(f"{purpose}\0{key}".encode()).digest()
    return np.random.default_rng([seed, epoch, *np.frombuffer(digest[:16], "<u4")])


@dataclass(frozen=True)
class Spoiler:
    """Spoils recordings of one rate."""

    config: WaveformConfig
    rate_hz: int
    seed: int = 1
    noises: Sequence[Path] = field(init=False, default=())
    rooms: Sequence[Path] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "noises", _recordings(self.config.noise_dir, "noise_dir"))
        object.__setattr__(self, "rooms", _recordings(self.config.room_dir, "room_dir"))

    def speed(self, key: str, epoch: int) -> float:
        """The factor by which this recording is sped up in this epoch."""
        return float(generator(self.seed, epoch, key, "speed").choice(self.config.speeds))

    def __call__(self, samples: F32, key: str, epoch: int) -> F32:
        """The recording [S] as it sounds in this epoch, about S / speed samples in [-1, 1]."""
        config = self.config
        random = generator(self.seed, epoch, key, "waveform")
        samples = change_speed(samples, self.speed(key, epoch), self.rate_hz)
        if not len(samples):
            return samples
        if random.random() < config.room_share:
            response = self._pick(self.rooms, random) if self.rooms else synthetic_room(random, self.rate_hz)
            samples = reverberate(samples, response)
        if random.random() < config.noise_share:
            noise = self._pick(self.noises, random) if self.noises else coloured_noise(random, len(samples))
            samples = add_noise(samples, noise, random.uniform(*config.snr_db), random)
        if random.random() < config.telephone_share:
            samples = telephone(samples, self.rate_hz)
        return change_volume(samples, random.uniform(*config.volume_db))

    def _pick(self, paths: Sequence[Path], random: np.random.Generator) -> F32:
        return _read(paths[int(random.integers(len(paths)))], self.rate_hz)


def change_speed(samples: F32, speed: float, rate_hz: int) -> F32:
    """Played `speed` times as fast."""
    return samples if speed == 1 else resample(samples, round(rate_hz * speed), rate_hz)


def change_volume(samples: F32, gain_db: float) -> F32:
    """Louder or softer, but never beyond full scale."""
    peak = float(np.abs(samples).max(initial=0.0))
    gain = min(10 ** (gain_db / 20), 1 / max(peak, _FLOOR))
    return (samples * np.float32(gain)).astype(np.float32)


def add_noise(samples: F32, noise: F32, snr_db: float, random: np.random.Generator) -> F32:
    """With noise, repeated or cut from a random place on, so many dB below the recording; silence stays silence."""
    if not len(noise) or not len(samples):
        return samples
    noise = np.resize(np.roll(noise, -int(random.integers(len(noise)))), len(samples))
    wanted = float(np.mean(np.square(samples, dtype=np.float64))) / 10 ** (snr_db / 10)
    present = float(np.mean(np.square(noise, dtype=np.float64)))
    if present < _FLOOR:
        return samples
    return (samples + noise * np.float32(np.sqrt(wanted / present))).astype(np.float32)


def coloured_noise(random: np.random.Generator, count: int) -> F32:
    """Noise whose power falls with frequency by 0 to 6 dB per octave."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    slope = np.maximum(np.arange(len(spectrum)), 1) ** -random.uniform(0.0, 1.0)
    noise: F32 = np.fft.irfft(spectrum * slope, count).astype(np.float32)
    peak = np.float32(max(float(np.abs(noise).max(initial=0.0)), _FLOOR))
    scaled: F32 = noise / peak
    return scaled


def synthetic_room(random: np.random.Generator, rate_hz: int) -> F32:
    """Direct sound, then a tail of decaying noise 3 to 15 dB below it (T60 0.15 to 0.6 s): a rough image of a room."""
    t60 = random.uniform(0.15, 0.6)
    count = int(rate_hz * t60)
    tail = random.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
    tail[: int(rate_hz * random.uniform(0.001, 0.01))] = 0
    tail *= 10 ** (-random.uniform(3, 15) / 20) / max(np.sqrt(np.sum(tail**2)), _FLOOR)
    tail[0] = 1.0
    return tail.astype(np.float32)


def reverberate(samples: F32, response: F32) -> F32:
    """In a room; as long as before, the direct sound in its old place, the power unchanged."""
    if not len(response) or not len(samples):
        return samples
    response = response[int(np.abs(response).argmax()) :]
    size = 1 << (len(samples) + len(response) - 1).bit_length()
    out = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[: len(samples)]
    before, after = float(np.sum(np.square(samples, dtype=np.float64))), float(np.sum(out**2))
    louder: F32 = (out * np.sqrt(before / max(after, _FLOOR))).astype(np.float32)
    return louder


def telephone(samples: F32, rate_hz: int) -> F32:
    """Through a telephone line: 300 to 3400 Hz, 8 kHz, 8-bit mu-law; as long as before."""
    narrow = resample(samples, rate_hz, TELEPHONE_HZ)
    spectrum = np.fft.rfft(narrow)
    hertz = np.fft.rfftfreq(len(narrow), 1 / TELEPHONE_HZ)
    spectrum[(hertz < TELEPHONE_BAND_HZ[0]) | (hertz > TELEPHONE_BAND_HZ[1])] = 0
    narrow = mu_law(np.fft.irfft(spectrum, len(narrow)).astype(np.float32))
    wide = resample(narrow, TELEPHONE_HZ, rate_hz)[: len(samples)]
    return np.pad(wide, (0, len(samples) - len(wide)))


def mu_law(samples: F32) -> F32:
    """Coded with 8 bits by G.711's curve, and decoded."""
    clipped = np.clip(samples, -1, 1)
    coded = np.sign(clipped) * np.log1p(255 * np.abs(clipped)) / np.log1p(255)
    coded = np.round(coded * 127) / 127
    decoded: F32 = (np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(255)) / 255).astype(np.float32)
    return decoded


def _recordings(directory: str | None, name: str) -> tuple[Path, ...]:
    if directory is None:
        return ()
    if not Path(directory).is_dir():
        raise OptionError(f"{name} is {directory!r}; that is no directory")
    found = sorted(path for path in Path(directory).rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not found:
        raise DataError(f"{name} {directory!r} holds no audio files")
    return tuple(found)


@lru_cache(maxsize=16)
def _read(path: Path, rate_hz: int) -> F32:
    audio = load(path)
    return resample(audio.samples, audio.sample_rate_hz, rate_hz)
