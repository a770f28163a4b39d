"""Batches of similar length, in an order that only the seed and the epoch decide, so that a run resumes exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from uniasr.features.cmvn import Cmvn
from uniasr.training.store import FeatureStore, Utterance
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
    """Padded feature rows per batch."""
    join_share: float = 0.15
    """Share of utterances that are joined to longer ones of up to `join_rows` rows, so that long audio is known."""
    join_rows: int = 330
    bucket: int = 50
    """Batches are cut from sorted runs of this many batches' worth of utterances."""


@dataclass(frozen=True, slots=True)
class Source:
    """An utterance of a store with its token ids."""

    store: FeatureStore
    utterance: Utterance
    tokens: I64


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
