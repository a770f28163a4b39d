"""Data sets of any size: recordings packed into tar files, each with an index of where its recordings lie.

The tar files are ordinary ones (000000.wav, 000000.txt, ...), so other tools read them. Training reads the indexes of a
few shards at a time and audio by its place: memory does not grow with the data, and resuming in the middle of an epoch
reads no audio that has been used already.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uniasr.audio.inputs import AUDIO_SUFFIXES
from uniasr.audio.sources import open_source
from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import DataError, OutputError
from uniasr.formats.files import write_text
from uniasr.training.batches import BatchOptions, Source, plan_epoch
from uniasr.training.data.clips import ArchiveMember, Clip, clip_sources, row_count
from uniasr.training.data.manifest import Entry
from uniasr.training.data.waveform import Spoiler
from uniasr.types import I64

LIST = "shards.json"
_TAR_BLOCK = 512


def pack(
    usable: Sequence[tuple[Entry, float]], directory: Path, *, per_shard: int = 1000, link: bool = False, seed: int = 1
) -> int:
    """Write utterances, in a random order that the seed decides, into shards; returns how many shards there are.

    Audio files go in as they are, or with `link` stay where they are and only the indexes are written. The list of
    shards is written last, so that half a set is never read.
    """
    order = np.random.default_rng(seed).permutation(len(usable))
    shards: list[dict[str, Any]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / LIST).unlink(missing_ok=True)
        for earlier in directory.glob("shard-[0-9][0-9][0-9][0-9][0-9].t[as][rv]"):
            earlier.unlink()
        for start in range(0, len(order), per_shard):
            part = [usable[i] for i in order[start : start + per_shard]]
            name = f"shard-{len(shards):05}"
            (_write_links if link else _write_shard)(directory / f"{name}.tar", part)
            seconds = sum(length for _, length in part)
            shards.append({"name": name, "utterances": len(part), "seconds": round(seconds, 3)})
    except OSError as error:
        raise OutputError(f"{directory} cannot be written: {error.strerror or error}") from error
    write_text(directory / LIST, json.dumps({"format": 1, "linked": link, "shards": shards}, indent=1))
    return len(shards)


def _write_shard(path: Path, part: Sequence[tuple[Entry, float]]) -> None:
    lines = []
    with tarfile.open(path, "w") as tar:
        for number, (entry, seconds) in enumerate(part):
            with open_source(entry.audio) as (file, _):
                content = file.read()
            suffix = Path(entry.audio.partition("?")[0]).suffix.lower()
            start = _add(tar, f"{number:06}{suffix if suffix in AUDIO_SUFFIXES else '.audio'}", content)
            _add(tar, f"{number:06}.txt", entry.text.encode())
            lines.append(_line(entry, seconds, start, len(content)))
    write_text(path.with_suffix(".tsv"), "".join(lines))


def _write_links(path: Path, part: Sequence[tuple[Entry, float]]) -> None:
    write_text(path.with_suffix(".tsv"), "".join(_line(entry, seconds, entry.audio, "") for entry, seconds in part))


def _line(entry: Entry, seconds: float, *place: object) -> str:
    fields = ("_".join(entry.key.split()), *place, f"{seconds:.4f}", entry.text)
    return "\t".join(map(str, fields)) + "\n"


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> int:
    """Append a file; returns where its bytes begin."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
    return tar.offset - -(-len(content) // _TAR_BLOCK) * _TAR_BLOCK


@dataclass(frozen=True, slots=True)
class Packed:
    """One line of a shard's index."""

    key: str
    audio: str | ArchiveMember
    seconds: float
    text: str


class Shards:
    """Read access to a packed set."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        try:
            about = json.loads((directory / LIST).read_text(encoding="utf-8"))
            self.shards: list[dict[str, Any]] = about["shards"]
            self.linked = bool(about["linked"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{directory} holds no finished shards; run 'uniasr data pack' again") from error

    @property
    def seconds(self) -> float:
        """Audio in all shards."""
        return float(sum(shard["seconds"] for shard in self.shards))

    def utterances(self, numbers: Iterable[int] | None = None) -> Iterator[Packed]:
        """The indexes of some shards, or of all."""
        for number in range(len(self.shards)) if numbers is None else numbers:
            archive = self.directory / f"{self.shards[number]['name']}.tar"
            try:
                with archive.with_suffix(".tsv").open(encoding="utf-8") as lines:
                    for line in lines:
                        key, start, size, seconds, text = line.rstrip("\n").split("\t")
                        audio = start if self.linked else ArchiveMember(archive, int(start), int(size))
                        yield Packed(key, audio, float(seconds), text)
            except (OSError, ValueError) as error:
                raise DataError(
                    f"{archive.with_suffix('.tsv')} cannot be read: {error}; pack the data again"
                ) from error


Label = Callable[[str, int], I64 | None]
"""Token ids of a transcript for so many rows of audio; None leaves the utterance out."""


@dataclass(frozen=True)
class ShardFeed:
    """A packed set ("large"): a few shards at a time are shuffled together, the order of shards changes by epoch."""

    shards: Shards
    label: Label
    frontend: FrontendConfig
    spoiler: Spoiler | None = None
    block: int = 8
    """Shards whose utterances are mixed: with more the order is more random and more memory is used."""

    def plan(self, options: BatchOptions, seed: int, epoch: int, start: int) -> Iterator[list[list[Source]]]:
        """Batches of an epoch from number `start` on; of those before only the indexes are read."""
        order = np.random.default_rng([seed, epoch]).permutation(len(self.shards.shards))
        for first in range(0, len(order), self.block):
            clips = list(self._clips(order[first : first + self.block]))
            sources = clip_sources(clips, self.frontend, self.spoiler, epoch)
            batches = plan_epoch(sources, options, seed + 1_000_003 * (first + 1), epoch) if sources else []
            yield from batches[start:]
            start = max(0, start - len(batches))

    def _clips(self, numbers: Iterable[int]) -> Iterator[tuple[Clip, I64]]:
        for packed in self.shards.utterances(numbers):
            rows = row_count(packed.seconds, self.frontend)
            tokens = self.label(packed.text, rows)
            if tokens is not None:
                yield Clip(packed.key, 0, rows, packed.text, packed.audio), tokens

    @property
    def num_rows(self) -> int:
        """Feature rows of all utterances, nearly."""
        return row_count(self.shards.seconds, self.frontend)
