"""Utterances whose rows are computed on the way, in a list that fits into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uniasr.configs.frontend import FrontendConfig
from uniasr.training.batches import BatchOptions, Source, plan_epoch
from uniasr.training.data.clips import Clip, clip_sources
from uniasr.training.data.waveform import Spoiler
from uniasr.types import I64


@dataclass(frozen=True)
class ClipFeed:
    """A map-style data set ("small"): its list of utterances lies in memory, their audio on disk."""

    clips: Sequence[tuple[Clip, I64]]
    frontend: FrontendConfig
    spoiler: Spoiler | None = None
    stored: Sequence[Source] = ()
    """Utterances whose rows were computed before."""

    def plan(self, options: BatchOptions, seed: int, epoch: int, start: int) -> Iterator[list[list[Source]]]:
        """Batches of an epoch from number `start` on; speeds are those of the epoch."""
        sources = [*self.stored, *clip_sources(self.clips, self.frontend, self.spoiler, epoch)]
        return iter(plan_epoch(sources, options, seed, epoch)[start:])

    @property
    def num_rows(self) -> int:
        """Feature rows of all utterances."""
        clips = sum(clip.num_rows for clip, _ in self.clips)
        return clips + sum(source.utterance.num_rows for source in self.stored)
