"""Feature stores made once, so that training need not decode audio: the same rows as on the way, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.records import to_plain
from uniasr.errors import DataError
from uniasr.training.data.clips import Clip, ClipRows
from uniasr.training.data.manifest import Entry
from uniasr.training.data.waveform import Spoiler
from uniasr.training.store import ABOUT, FeatureStore, StoreWriter
from uniasr.types import F32

USUAL_FRONTEND = FrontendConfig()
"""That of `uniasr train`, unless its plan names another."""


def extract(
    usable: Sequence[tuple[Entry, float]],
    directory: Path,
    frontend: FrontendConfig,
    *,
    spoiler: Spoiler | None = None,
    copies: int = 1,
    jobs: int = 1,
    tell: Callable[[], None] = lambda: None,
) -> int:
    """Write the rows of every recording into a store; returns how many rows there are.

    With a spoiler each of the `copies` is spoiled as epoch 0, 1, ... of training would; keys then end in its number.
    """
    jobs_of_all = [
        (copy, Clip(entry.key, 0, 0, entry.text, entry.audio)) for copy in range(copies) for entry, _ in usable
    ]
    with StoreWriter(directory, frontend.feature_size, {"frontend": to_plain(frontend), "copies": copies}) as store:
        work = partial(_rows, frontend, spoiler)
        for (copy, clip), rows in zip(jobs_of_all, _mapped(work, jobs_of_all, jobs), strict=True):
            key = "_".join(clip.key.split())
            store.add(f"{key}-{copy}" if copies > 1 else key, rows, clip.text)
            tell()
        return store.count


def _rows(frontend: FrontendConfig, spoiler: Spoiler | None, job: tuple[int, Clip]) -> F32:
    copy, clip = job
    return ClipRows(frontend, spoiler, copy).rows(clip)


def _mapped(work: Callable[[tuple[int, Clip]], F32], items: Iterable[tuple[int, Clip]], jobs: int) -> Iterator[F32]:
    if jobs == 1:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, items, chunksize=8)


def is_store(directory: Path) -> bool:
    """Whether a directory holds a finished feature store."""
    return (directory / ABOUT).is_file()


def open_store(directory: Path, frontend: FrontendConfig) -> FeatureStore:
    """A store whose rows this front end made; raises DataError if another one did."""
    store = FeatureStore(directory)
    made_by = store.about.get("frontend")
    if made_by is not None and made_by != to_plain(frontend):
        differing = [name for name, value in to_plain(frontend).items() if made_by.get(name) != value]
        raise DataError(
            f"{directory} holds features of another front end (different: {', '.join(differing)}); "
            "run 'uniasr data features' with this model"
        )
    return store
