"""From what a user calls his data to a checked training set and a development set.

Folders in the published form, of a known corpus or of feature stores (`uniasr data features`) may be named together; a
folder of packed shards (`uniasr data pack`) stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import DataError, OptionError
from uniasr.text.vocabulary import Vocabulary
from uniasr.training.batches import Feed, Source
from uniasr.training.data.check import Limits, Measurements, Report, measured
from uniasr.training.data.clips import Clip, row_count
from uniasr.training.data.features import is_store, open_store
from uniasr.training.data.feeds import ClipFeed
from uniasr.training.data.labelling import Labeller, labelled
from uniasr.training.data.labels import Cutter, Unknown, settled
from uniasr.training.data.layouts import read_data
from uniasr.training.data.manifest import DEV_NAMES, Entry, Folder, Listing
from uniasr.training.data.shards import LIST, ShardFeed, Shards, pack
from uniasr.training.data.waveform import Spoiler, WaveformConfig
from uniasr.training.store import INDEX, FeatureStore
from uniasr.types import I64

DATASET_TYPES = ("small", "large")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions:
    """How data is read."""

    dataset_type: Literal["small", "large"] = "small"
    """Whether the list of utterances is kept in memory or read shard by shard."""
    unknown: Unknown | None = None
    """What to do about characters without a token; None makes them an error."""
    skip_bad: bool = False
    """Leave out utterances that cannot be used instead of stopping."""
    limits: Limits = field(default_factory=Limits)
    spoil: WaveformConfig | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if self.dataset_type not in DATASET_TYPES:
            raise OptionError(f"dataset_type is {self.dataset_type!r:.80}; choose 'small' or 'large'")
        if self.unknown not in (None, "extend", "drop"):
            raise OptionError(f"unknown is {self.unknown!r:.80}; choose 'extend' or 'drop'")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}; it cannot be negative")


@dataclass(slots=True)
class Prepared:
    """Data to train with."""

    train: Sequence[Source] | Feed
    num_rows: int
    cutter: Cutter
    """With the vocabulary to train, which may be larger than the model's."""
    dev: Sequence[Source] | Feed | None = None
    held_back: list[Clip] = field(default_factory=list)
    """The development set as audio, where it is audio."""
    notes: list[str] = field(default_factory=list)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens to train."""
        return self.cutter.vocabulary


def read_folders(data: Sequence[Path]) -> Folder:
    """All utterances of some folders; keys of different folders are kept apart.

    A folder that is named several times is heard so often in an epoch; its development set counts once.
    """
    if len(data) == 1:
        return read_data(data[0])
    whole = Folder(Listing(), Listing())
    for number, directory in enumerate(data):
        folder = read_data(directory)
        if directory in data[:number]:
            folder = Folder(Listing(folder.train.entries), Listing())
        for ours, found in ((whole.train, folder.train), (whole.dev, folder.dev)):
            ours.entries += [replace(entry, key=f"{number}-{entry.key}") for entry in found.entries]
            ours.problems += found.problems
    return whole


def usable_sets(
    data: Sequence[Path], limits: Limits, *, skip_bad: bool, tell: Callable[[], None] = lambda: None
) -> tuple[dict[str, list[tuple[Entry, float]]], list[str]]:
    """The sets of some folders with the lengths of their recordings, and notes; raises DataError with every problem."""
    folder, report = read_folders(data), Report()
    report.problems += folder.train.problems + folder.dev.problems
    parts = (("train", folder.train), ("dev", folder.dev))
    sets = {name: measured(part.entries, limits, report, tell=tell) for name, part in parts if part.entries}
    report.settle(skip_bad=skip_bad)
    if not sets.get("train"):
        raise DataError("no utterance is left to train on")
    return sets, report.notes


def prepare(
    data: Sequence[Path],
    vocabulary: Vocabulary | Callable[[Iterable[str]], Vocabulary],
    config: UniasrConfig,
    options: DataOptions,
    work: Path,
    bpe: Path | None = None,
    *,
    first: bool = True,
) -> Prepared:
    """Check data and cut its transcripts; raises DataError with every problem.

    Args:
        data: folders.
        vocabulary: a model's, or what makes one from the training transcripts.
        config: front end and row rates; its vocabulary is not looked at.
        options: how to read.
        work: where the lengths of recordings and, for "large", the lists of shards are remembered.
        bpe: the vocabulary's sentencepiece model.
        first: of several processes, the one that writes those lists; the others open what it wrote.
    """
    job = _Job(config, options, work, vocabulary, bpe, first)
    packed = [place for place in data if (place / "train" / LIST).is_file()]
    if packed and len(data) > 1:
        raise OptionError(f"{packed[0]} holds shards; it cannot be joined with other --data")
    if packed:
        return job.packed(packed[0] / "train", _dev_shards(packed[0]))
    stores = [place for place in data if is_store(place / "train")]
    folders = [place for place in data if place not in stores]
    return job.listed(read_folders(folders) if folders else Folder(Listing(), Listing()), stores)


def _dev_shards(directory: Path) -> Path | None:
    return next((directory / name for name in DEV_NAMES if (directory / name / LIST).is_file()), None)


@dataclass
class _Job:
    config: UniasrConfig
    options: DataOptions
    work: Path
    vocabulary: Vocabulary | Callable[[Iterable[str]], Vocabulary]
    bpe: Path | None
    first: bool
    report: Report = field(default_factory=Report)

    def listed(self, folder: Folder, stores: Sequence[Path]) -> Prepared:
        """Audio files of folders, and feature stores."""
        self.report.problems += folder.train.problems + folder.dev.problems
        known = Measurements(self.work / "measured.json")
        train, dev = (self._measured(part.entries, known) for part in (folder.train, folder.dev))
        if self.options.dataset_type == "large" and train:
            if stores:
                raise OptionError(f"{stores[0]} holds feature stores; they go with dataset_type 'small'")
            self.report.settle(skip_bad=self.options.skip_bad)
            for name, usable in (("train", train), ("dev", dev)) if self.first else ():
                pack(usable, self.work / "shards" / name, link=True, seed=self.options.seed)
            return self.packed(self.work / "shards" / "train", self.work / "shards" / "dev")
        opened = [(place / "train", open_store(place / "train", self.config.frontend)) for place in stores]
        texts = [utterance.text for _, store in opened for utterance in store.utterances]
        labeller = self._labeller([*texts, *(entry.text for entry, _ in train)])
        stored, clips = self._sources(opened, labeller), labelled(train, labeller)
        dev_stored, dev_clips = self._sources(self._dev_stores(stores), labeller), labelled(dev, labeller)
        self._settle(labeller, bool(stored or clips))
        if stored and self.options.spoil is not None:
            self.report.notes.append("stored features are not spoiled again; `uniasr data features --copies` does that")
        if dev_stored and not dev_clips:
            self.report.notes.append("the development set is stored features: evaluations give losses, no error rates")
        feed = ClipFeed(clips, self.config.frontend, self._spoiler(), stored)
        dev_feed = ClipFeed(dev_clips, self.config.frontend, stored=dev_stored) if dev_stored or dev_clips else None
        held_back = [clip for clip, _ in dev_clips]
        return Prepared(feed, feed.num_rows, labeller.cutter, dev_feed, held_back, self.report.notes)

    def _dev_stores(self, stores: Sequence[Path]) -> list[tuple[Path, FeatureStore]]:
        """The development sets of some stores; that of a store that is named several times counts once."""
        places = [place / name for place in dict.fromkeys(stores) for name in DEV_NAMES]
        return [(place, open_store(place, self.config.frontend)) for place in places if is_store(place)]

    def packed(self, train: Path, dev: Path | None) -> Prepared:
        """Shards, with or without the audio in them."""
        shards = Shards(train)
        labeller = self._labeller(packed.text for packed in shards.utterances())
        frontend = self.config.frontend
        usable = 0
        for packed in shards.utterances():
            tokens = labeller(packed.key, packed.text, row_count(packed.seconds, frontend), f"{train}, {packed.key}")
            usable += tokens is not None
        dev_clips = [] if dev is None else self._dev_clips(Shards(dev), labeller)
        self._settle(labeller, usable > 0)
        feed = ShardFeed(shards, labeller.again, frontend, self._spoiler())
        dev_feed = ClipFeed(dev_clips, frontend) if dev_clips else None
        held_back = [clip for clip, _ in dev_clips]
        return Prepared(feed, feed.num_rows, labeller.cutter, dev_feed, held_back, self.report.notes)

    def _dev_clips(self, shards: Shards, labeller: Labeller) -> list[tuple[Clip, I64]]:
        found = []
        for packed in shards.utterances():
            rows = row_count(packed.seconds, self.config.frontend)
            tokens = labeller(packed.key, packed.text, rows, f"{shards.directory}, {packed.key}")
            if tokens is not None:
                found.append((Clip(packed.key, 0, rows, packed.text, packed.audio), tokens))
        return found

    def _sources(self, stores: Sequence[tuple[Path, FeatureStore]], labeller: Labeller) -> list[Source]:
        found = []
        for place, store in stores:
            for number, utterance in enumerate(store.utterances, start=1):
                where = f"{place / INDEX}, line {number}"
                tokens = labeller(utterance.key, utterance.text, utterance.num_rows, where)
                if tokens is not None:
                    found.append(Source(store, utterance, tokens))
        return found

    def _measured(self, entries: Sequence[Entry], known: Measurements) -> list[tuple[Entry, float]]:
        return measured(entries, self.options.limits, self.report, known)

    def _labeller(self, texts: Iterable[str]) -> Labeller:
        if isinstance(self.vocabulary, Vocabulary):
            vocabulary = self.vocabulary
        else:
            texts = list(texts)
            vocabulary = self.vocabulary(texts)
        cutter = settled(vocabulary, self.bpe, texts, self.options.unknown)
        return Labeller(cutter, self.options.unknown, self.config, self.report)

    def _settle(self, labeller: Labeller, any_left: bool) -> None:
        labeller.finish()
        self.report.settle(skip_bad=self.options.skip_bad and not labeller.undecided)
        if not any_left:
            raise DataError("no utterance is left to train on: " + "; ".join(self.report.notes or ["the set is empty"]))

    def _spoiler(self) -> Spoiler | None:
        if self.options.spoil is None:
            return None
        return Spoiler(self.options.spoil, self.config.frontend.sample_rate_hz, self.options.seed)
