"""Utterances as audio: their feature rows are computed when a batch asks for them, as recognition computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from uniasr.audio.load import Waveform, load
from uniasr.audio.resample import resample
from uniasr.configs.frontend import FrontendConfig
from uniasr.features.frontend import FrontEnd
from uniasr.training.batches import Source
from uniasr.training.data.waveform import Spoiler
from uniasr.training.store import Utterance
from uniasr.types import F32, I64


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A stretch of a file that holds an audio file."""

    archive: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Clip(Utterance):
    """An utterance whose audio lies in a file of its own, at a URL, or inside an archive; `num_rows` is an estimate."""

    audio: str | ArchiveMember

    def load(self) -> Waveform:
        """Decoded audio, channels mixed; raises AudioError."""
        if isinstance(self.audio, str):
            return load(self.audio)
        with self.audio.archive.open("rb") as archive:
            archive.seek(self.audio.start)
            return load(archive.read(self.audio.size))


@dataclass(frozen=True)
class ClipRows:
    """Rows of clips before CMVN, as they are or spoiled for one epoch; what a Source takes for a store."""

    frontend: FrontendConfig
    spoiler: Spoiler | None = None
    epoch: int = 0

    @cached_property
    def _front_end(self) -> FrontEnd:
        return FrontEnd(self.frontend)

    def rows(self, utterance: Utterance) -> F32:
        """Feature rows [T, F]; raises AudioError when the audio cannot be read."""
        assert isinstance(utterance, Clip)
        audio = utterance.load()
        samples = resample(audio.samples, audio.sample_rate_hz, self.frontend.sample_rate_hz)
        if self.spoiler is not None:
            samples = self.spoiler(samples, utterance.key, self.epoch)
        _, rows = self._front_end.step(self._front_end.start(), samples, True)
        return rows


def row_count(seconds: float, frontend: FrontendConfig) -> int:
    """Rows of so much audio, to within one."""
    samples = round(seconds * frontend.sample_rate_hz)
    frames = max(1, (samples - frontend.frame_samples) // frontend.hop_samples + 1)
    return -(-frames // frontend.lfr_n)


def clip_sources(
    clips: Sequence[tuple[Clip, I64]], frontend: FrontendConfig, spoiler: Spoiler | None, epoch: int
) -> list[Source]:
    """Clips with their token ids as one epoch hears them: the number of rows follows the speed."""
    rows = ClipRows(frontend, spoiler, epoch)
    if spoiler is None:
        return [Source(rows, clip, tokens) for clip, tokens in clips]
    return [Source(rows, _at_speed(clip, spoiler.speed(clip.key, epoch)), tokens) for clip, tokens in clips]


def _at_speed(clip: Clip, speed: float) -> Clip:
    return Clip(clip.key, clip.start, max(1, round(clip.num_rows / speed)), clip.text, clip.audio)
