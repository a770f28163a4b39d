"""Feature stores for training and development from the corpora.

    python prepare.py --data DATA --hts SYNTH/hts --out WORK [--jobs 2]

DATA is a folder with ja_synth_kokoro, ja_synth_dev, ja_real, noise; SYNTH what ja_synth.py wrote (see README.md).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import RATE, Recording, Samples, noises, real_words, synthetic
from spoil import pad, spoil

from uniasr.configs.frontend import FrontendConfig
from uniasr.features.cmvn import Cmvn
from uniasr.features.frontend import FrontEnd
from uniasr.training.store import FeatureStore, StoreWriter
from uniasr.types import F32

CONFIG = FrontendConfig()
PLAIN = Cmvn(np.zeros(CONFIG.feature_size, np.float32), np.ones(CONFIG.feature_size, np.float32))


@dataclass(frozen=True)
class Plan:
    """One entry of a store: recordings said one after another, and whether they are spoiled."""

    key: str
    parts: tuple[Recording, ...]
    spoiled: bool
    seed: int


def training_plans(data: Path, hts: list[Path]) -> Iterator[Plan]:
    """HTS once spoiled, Kokoro clean and spoiled twice, words alone and joined by 2 to 6."""
    random = np.random.default_rng(5)
    seed = 0
    kokoro = synthetic(data / "ja_synth_kokoro")
    hts_speech = [recording for folder in hts for recording in synthetic(folder)]
    for copy, recordings in enumerate((hts_speech, kokoro, kokoro, kokoro)):
        for recording in recordings:
            seed += 1
            yield Plan(f"{recording.key}-{copy}", (recording,), copy != 1, seed)
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "train"]
    for copy in range(2):
        for word in words:
            seed += 1
            yield Plan(f"{word.key}-{copy}", (word,), True, seed)
    for copy in range(2, 5):
        for group in joined(words, random, (2, 7)):
            seed += 1
            yield Plan(f"{group[0].key}-{copy}", group, True, seed)


def joined(
    words: list[Recording], random: np.random.Generator, size: tuple[int, int]
) -> Iterator[tuple[Recording, ...]]:
    """All words in random order, in groups of at least the first size and fewer than the second."""
    order = [words[i] for i in random.permutation(len(words))]
    while order:
        count = int(random.integers(*size))
        yield tuple(order[:count])
        order = order[count:]


def dev_plans(data: Path, hts_dev: Path) -> Iterator[tuple[str, list[Plan]]]:
    """Clean development sets by name."""
    yield "dev-kokoro", [Plan(r.key, (r,), False, i) for i, r in enumerate(synthetic(data / "ja_synth_dev"))]
    yield "dev-hts", [Plan(r.key, (r,), False, i) for i, r in enumerate(synthetic(hts_dev))]
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "dev"]
    yield "dev-words", [Plan(r.key, (r,), False, i) for i, r in enumerate(words)]


class Worker:
    """Makes the rows of one plan; the noises are read once per process."""

    def __init__(self, copy: int, noise_folders: list[Path]) -> None:
        self.copy = copy
        self.noises = balanced([noises(folder) for folder in noise_folders])
        self.front_end = FrontEnd(CONFIG, PLAIN)

    def random(self, store: int, plan: Plan) -> np.random.Generator:
        """Where all draws of an entry come from."""
        return np.random.default_rng([store, plan.seed, self.copy] if self.copy else [store, plan.seed])

    def rows(self, plan: Plan) -> F32:
        """Feature rows before CMVN."""
        random = self.random(11, plan)
        short = len(plan.parts) > 1 or plan.parts[0].seconds < 2
        low, high = (0.1, 0.5) if short else (0.0, 0.4)
        samples = np.concatenate([pad(part.samples(), random, low, high) for part in plan.parts])
        if plan.spoiled:
            samples = spoil(samples, self.noises, random)
        return rows_of(self.front_end, samples)


def balanced(folders: list[list[Samples]]) -> list[Samples]:
    """The recordings of several folders, repeated so that each folder has the same share."""
    most = max(map(len, folders))
    return [samples for found in folders for samples in itertools.islice(itertools.cycle(found), most)]


def rows_of(front_end: FrontEnd, samples: Samples) -> F32:
    """All rows of a recording."""
    _, rows = front_end.step(front_end.start(), samples, True)
    return rows


_worker: Worker


def pool_of(jobs: int, make: Callable[..., Worker], *arguments: object) -> ProcessPoolExecutor:
    """Processes that each have a worker of their own."""
    return ProcessPoolExecutor(jobs, initializer=_start, initargs=(make, *arguments))


def _start(make: Callable[..., Worker], *arguments: object) -> None:
    global _worker
    _worker = make(*arguments)


def _rows(plan: Plan) -> F32:
    return _worker.rows(plan)


def write(directory: Path, plans: list[Plan], pool: ProcessPoolExecutor) -> None:
    """One store; utterances without kana are left out."""
    plans = [plan for plan in plans if all(part.kana for part in plan.parts)]
    with StoreWriter(directory, CONFIG.feature_size, {"rate": RATE, "recipe": "ja"}) as store:
        for plan, rows in zip(plans, pool.map(_rows, plans, chunksize=16), strict=True):
            store.add(plan.key, rows, "".join(part.kana for part in plan.parts))
    print(f"{directory.name}: {len(plans)} utterances, {store.count * CONFIG.row_ms / 3.6e6:.2f} h", flush=True)


def cmvn_of(store: FeatureStore) -> Cmvn:
    """Mean and deviation of every mel bin over a store, repeated for the stacked frames."""
    sample = np.concatenate([store.rows(utterance) for utterance in store.utterances[::7]])
    mels = sample.reshape(-1, CONFIG.n_mels)
    shift = np.tile(-mels.mean(axis=0), CONFIG.lfr_m)
    scale = np.tile(1 / mels.std(axis=0), CONFIG.lfr_m)
    return Cmvn(shift.astype(np.float32), scale.astype(np.float32))


def command(about: str | None) -> argparse.ArgumentParser:
    """The options that all stores have."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sounds", type=Path, nargs="*", default=[], help="folders of noise beside DATA/noise")
    parser.add_argument("--copy", type=int, default=0, help="another number draws everything anew")
    return parser


def heard_among(options: argparse.Namespace) -> tuple[int, list[Path]]:
    """What a worker needs of such a command: the number of the copy and the folders of noise."""
    return options.copy, [options.data / "noise", *options.sounds]


def write_train(
    options: argparse.Namespace, plans: Iterator[Plan], make: Callable[..., Worker], *arguments: object
) -> None:
    """The training store of such a command."""
    with pool_of(options.jobs, make, *heard_among(options), *arguments) as pool:
        write(options.out / "train", list(plans), pool)


def main() -> None:
    """Write all stores."""
    parser = command(__doc__)
    parser.add_argument("--hts", type=Path, nargs="+", required=True)
    parser.add_argument("--hts-dev", type=Path, required=True)
    options = parser.parse_args()
    with pool_of(options.jobs, Worker, *heard_among(options)) as pool:
        for name, plans in dev_plans(options.data, options.hts_dev):
            write(options.out / name, plans, pool)
    write_train(options, training_plans(options.data, options.hts), Worker)


if __name__ == "__main__":
    main()
