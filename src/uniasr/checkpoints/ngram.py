"""Directories of small n-gram models: `model.yaml` with the family `ngram`, `tokens.txt`, `tables.npz`.

The n-grams of all orders form a trie, order by order, each order sorted: how many longer n-grams begin with one says
where these stand. Costs and back-off weights are bytes, in steps of an eighth of a nat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from uniasr.checkpoints.arrays import Layout, read_arrays
from uniasr.checkpoints.own_layout import (
    DESCRIPTION,
    description,
    family_of,
    need_directory,
    read_description,
    staged_model,
)
from uniasr.errors import ModelError
from uniasr.text.vocabulary import Vocabulary, read_token_list, vocabulary_from

FAMILY = "ngram"
TABLES_FILE, TOKENS_FILE = "tables.npz", "tokens.txt"
STEP = 0.125
"""Nats of one unit of costs and back-offs."""
MOST_ORDER, MOST_TOKENS = 10, 256

_LAYOUT: Layout = {
    "sizes": (np.uint32, 1),
    "tokens": (np.uint8, 1),
    "followers": (np.uint8, 1),
    "costs": (np.uint8, 1),
    "backoffs": (np.int8, 1),
}


@dataclass(frozen=True, slots=True)
class NgramOrder:
    """The n-grams of one order, sorted."""

    tokens: npt.NDArray[np.uint8]
    """[N] last tokens."""
    costs: npt.NDArray[np.uint8]
    """[N] negative log-probabilities of the last token after the others."""
    followers: npt.NDArray[np.uint8]
    """[N] how many n-grams of the next order begin with each; [0] in the highest order, as `backoffs`."""
    backoffs: npt.NDArray[np.int8]
    """[N] logarithms of the back-off weights."""


@dataclass(frozen=True, slots=True)
class NgramFiles:
    """What a directory holds."""

    directory: Path
    vocabulary: Vocabulary
    orders: tuple[NgramOrder, ...]
    card: Mapping[str, Any] = field(default_factory=dict)


def is_ngram(directory: Path) -> bool:
    """Whether the directory says that it holds an n-gram model; it may still be damaged."""
    return family_of(directory) == FAMILY


def read_ngram(directory: Path) -> NgramFiles:
    """Read an n-gram model.

    Raises ModelNotFoundError when there is no such directory, ModelError naming the file and what is wrong with it.
    """
    need_directory(directory)
    config, card = read_description(directory, FAMILY, "an n-gram model")
    if config is not None:
        raise ModelError(f"{directory / DESCRIPTION}: config is {config!r:.60}; an n-gram model has none")
    path = directory / TOKENS_FILE
    vocabulary = vocabulary_from(read_token_list(path), str(path))
    path = directory / TABLES_FILE
    return NgramFiles(directory, vocabulary, _orders(read_arrays(path, _LAYOUT), len(vocabulary), path), card)


def write_ngram(
    directory: Path,
    tokens: Sequence[str],
    orders: Sequence[NgramOrder],
    *,
    files: Iterable[Path] = (),
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a directory, whole or not at all, and return it.

    Raises OutputError when it cannot be written, ModelError when the orders make no model.
    """
    with staged_model(directory, description(FAMILY, None, card), files, read_ngram) as staging:
        (staging / TOKENS_FILE).write_text("\n".join(tokens) + "\n", encoding="utf-8")
        np.savez_compressed(
            staging / TABLES_FILE,
            allow_pickle=False,
            sizes=np.array([len(order.tokens) for order in orders], np.uint32),
            **{
                name: np.concatenate([getattr(order, name) for order in orders])
                for name in ("tokens", "followers", "costs", "backoffs")
            },
        )
    return directory


def _orders(arrays: Mapping[str, npt.NDArray[Any]], vocabulary: int, path: Path) -> tuple[NgramOrder, ...]:
    """The orders, lowest first; raises ModelError where the arrays do not fit each other."""
    ends = np.cumsum(arrays["sizes"], dtype=np.int64)
    inner = int(ends[-2]) if len(ends) > 1 else 0
    fits = (
        1 < len(ends) <= MOST_ORDER
        and int(ends[0]) == vocabulary <= MOST_TOKENS
        and len(arrays["tokens"]) == len(arrays["costs"]) == int(ends[-1])
        and len(arrays["followers"]) == len(arrays["backoffs"]) == inner
    )
    if not fits:
        raise ModelError(f"{path}: the arrays do not fit each other and {vocabulary} tokens; fetch the model again")
    orders = tuple(
        NgramOrder(*(arrays[name][begin:end] for name in ("tokens", "costs", "followers", "backoffs")))
        for begin, end in pairwise([0, *ends.tolist()])
    )
    if not _is_trie(orders, vocabulary):
        raise ModelError(f"{path}: its n-grams are not sorted or not all begun; fetch the model again")
    return orders


def _is_trie(orders: Sequence[NgramOrder], vocabulary: int) -> bool:
    """Whether every token stands in the lowest order, and each order has what the one below says, in order."""
    if not np.array_equal(orders[0].tokens, np.arange(vocabulary)):
        return False
    for below, order in pairwise(orders):
        nodes = np.repeat(np.arange(len(below.tokens)), below.followers)
        if len(nodes) != len(order.tokens) or order.tokens.max(initial=0) >= vocabulary:
            return False
        if not (np.diff(nodes * vocabulary + order.tokens) > 0).all():
            return False
    return True
