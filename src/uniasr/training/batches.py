"""Batches of similar length, in an order that only the seed and the epoch decide, so that a run resumes exactly."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from uniasr.features.cmvn import Cmvn
from uniasr.training.processes import own_share
from uniasr.training.store import Utterance
from uniasr.types import F32, I64


@dataclass(frozen=True, slots=True)
class Example:
    """One training utterance: rows after CMVN [T, F] and token ids [L]."""

    key: str
    rows: F32
    tokens: I64


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded examples: rows [B, T, F], row counts [B], tokens [B, L] padded with -1, token counts [B]."""

    keys: tuple[str, ...]
    rows: F32
    row_counts: I64
    tokens: I64
    token_counts: I64


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How utterances are grouped."""

    batch_rows: int = 4_000
    """Padded feature rows per batch and process."""
    join_share: float = 0.15
    """Share of utterances that are joined to longer ones of up to `join_rows` rows, so that long audio is known."""
    join_rows: int = 330
    bucket: int = 50
    """Batches are cut from sorted runs of this many batches' worth of utterances."""


class Rows(Protocol):
    """Where an utterance's feature rows come from: a FeatureStore, or audio that is turned into rows on the way."""

    def rows(self, utterance: Utterance) -> F32:
        """Feature rows [T, F] before CMVN."""


@dataclass(frozen=True, slots=True)
class Source:
    """An utterance with its token ids."""

    store: Rows
    utterance: Utterance
    tokens: I64


class Feed(Protocol):
    """Training data that is not one list in memory; a list of sources is a feed too, see `planned`."""

    def plan(self, options: BatchOptions, seed: int, epoch: int, start: int) -> Iterator[list[list[Source]]]:
        """Batches of an epoch from number `start` on, the same ones for the same arguments; nothing is read yet."""


def planned(
    data: Sequence[Source] | Feed, options: BatchOptions, seed: int, epoch: int, start: int
) -> Iterator[list[list[Source]]]:
    """Batches of an epoch from number `start` on."""
    if isinstance(data, Sequence):
        return iter(plan_epoch(data, options, seed, epoch)[start:])
    return data.plan(options, seed, epoch, start)


class Batches:
    """What the loop reads: the batches of one process of a run, loaded a little before they are needed.

    The processes divide each batch of `world` times `batch_rows` rows, so that their number changes nothing but the
    speed: it equals one process with larger batches.
    """

    def __init__(
        self,
        data: Sequence[Source] | Feed,
        cmvn: Cmvn,
        options: BatchOptions,
        *,
        seed: int = 1,
        rank: int = 0,
        world: int = 1,
        workers: int = 1,
    ) -> None:
        self.data, self.cmvn, self.seed = data, cmvn, seed
        self.rank, self.world, self.workers = rank, world, workers
        self.options = replace(options, batch_rows=options.batch_rows * world)

    def epoch(self, number: int, skip: int = 0) -> Iterator[Batch]:
        """The batches of this process in an epoch, without the first `skip`; the same ones whenever it is called.

        All processes give the same number of batches; the n-th ones of all make up one step's share of the data.
        With `workers` threads, up to two batches per thread are loaded ahead; 0 loads each when it is asked for.
        """
        plans = planned(self.data, self.options, self.seed, number, skip)
        if not self.workers:
            yield from map(self._load, plans)
            return
        waiting: deque[Future[Batch]] = deque()
        pool = ThreadPoolExecutor(self.workers)
        try:
            for groups in plans:
                waiting.append(pool.submit(self._load, groups))
                if len(waiting) > 2 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _load(self, groups: list[list[Source]]) -> Batch:
        return load_batch(own_share(groups, self.rank, self.world), self.cmvn)


def plan_epoch(sources: Sequence[Source], options: BatchOptions, seed: int, epoch: int) -> list[list[list[Source]]]:
    """Batches of groups of utterances; a group of several is one joined example."""
    random = np.random.default_rng([seed, epoch])
    groups = _join([sources[i] for i in random.permutation(len(sources))], options, random)
    rows = np.array([sum(source.utterance.num_rows for source in group) for group in groups])
    run = max(1, int(options.bucket * options.batch_rows / max(1.0, float(rows.mean()))))
    batches: list[list[list[Source]]] = []
    for start in range(0, len(groups), run):
        order = start + np.argsort(rows[start : start + run], kind="stable")
        batches.extend(_cut([groups[i] for i in order], rows[order], options.batch_rows))
    return [batches[i] for i in random.permutation(len(batches))]


def _join(order: list[Source], options: BatchOptions, random: np.random.Generator) -> list[list[Source]]:
    groups: list[list[Source]] = []
    open_rows = 0  # rows of the last group while it may still grow
    for source in order:
        rows = source.utterance.num_rows
        if open_rows and open_rows + rows <= options.join_rows:
            groups[-1].append(source)
            open_rows += rows
        else:
            groups.append([source])
            open_rows = rows if random.random() < options.join_share / 2.5 else 0
    return groups


def _cut(groups: list[list[Source]], rows: I64, batch_rows: int) -> Iterator[list[list[Source]]]:
    batch: list[list[Source]] = []
    for group, count in zip(groups, rows, strict=True):  # ascending, so the newest is the longest
        if batch and (len(batch) + 1) * count > batch_rows:
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def load_batch(groups: Sequence[Sequence[Source]], cmvn: Cmvn) -> Batch:
    """Read, normalise, join and pad the examples of one planned batch."""
    examples = [
        Example(
            "+".join(source.utterance.key for source in group),
            cmvn.apply(np.concatenate([source.store.rows(source.utterance) for source in group])),
            np.concatenate([source.tokens for source in group]),
        )
        for group in groups
    ]
    row_counts = np.array([len(example.rows) for example in examples], dtype=np.int64)
    token_counts = np.array([len(example.tokens) for example in examples], dtype=np.int64)
    rows = np.zeros((len(examples), row_counts.max(), examples[0].rows.shape[1]), dtype=np.float32)
    tokens = np.full((len(examples), token_counts.max()), -1, dtype=np.int64)
    for i, example in enumerate(examples):
        rows[i, : len(example.rows)] = example.rows
        tokens[i, : len(example.tokens)] = example.tokens
    return Batch(tuple(example.key for example in examples), rows, row_counts, tokens, token_counts)
