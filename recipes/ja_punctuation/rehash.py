"""Weights of commit d5eb1e7's network in the present shape: another table for runs of words, to begin training with.

python rehash.py --work WORK --weights RUN/weights-*.pt --output START

There a run had 128 values in one of 32,768 rows, which were added to the embedding of its last word. A row of the new
table is the mean over the runs that now share it, weighted by how often they occur, in its principal axes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import model
import numpy as np
import torch
from corpus import RENDERINGS

from uniasr.networks.ct_transformer import RunEmbedding
from uniasr.text.words import read_words
from uniasr.training.snapshots import average

BUCKETS = 32_768
SOME = 50_000


def keys_of(ids: np.ndarray, firsts: np.ndarray, order: int) -> list[np.ndarray]:
    """Keys [N] of the runs of 2 to `order` words that end with each word; `firsts` [N] are the starts of sentences."""
    places = np.arange(len(ids))
    keys, found = ids + 1, []
    for back in range(1, order):
        before = np.where(places - back >= firsts, ids[np.maximum(places - back, 0)] + 1, 0)
        keys = (keys * RunEmbedding.FACTOR + before) % RunEmbedding.PRIME
        found.append(keys)
    return found


def rehashed(table: np.ndarray, work: Path, buckets: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows [buckets, width] and how many runs each stands for [buckets]."""
    rows, counts = np.zeros((buckets, table.shape[1])), np.zeros(buckets)
    for rendering in RENDERINGS:
        arrays = np.load(work / f"train-{rendering}.npz")
        firsts = np.repeat(arrays["starts"][:-1], np.diff(arrays["starts"]))
        for keys in keys_of(arrays["ids"].astype(np.int64), firsts, order):
            np.add.at(counts, keys % buckets, 1)
            for some in np.array_split(keys, len(keys) // SOME + 1):
                np.add.at(rows, some % buckets, table[some % BUCKETS])
    return rows / np.maximum(counts, 1)[:, None], counts


def main() -> None:
    """Write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    config = model.config(len(read_words(options.work / "tokens.txt")))
    weights = average(options.weights)
    table = weights.pop("runs.table.weight").double().numpy()
    rows, counts = rehashed(table, options.work, config.ngram_buckets, config.ngram_order)
    weighted = rows * counts[:, None] ** 0.5
    axes = np.linalg.svd(weighted.T @ weighted)[0][:, : config.ngram_size]
    rows = rows @ axes
    scale = rows.std() * config.ngram_size**0.5  # rows as large as those of a fresh table
    views = np.zeros((len(axes), config.ngram_size * sum(range(2, config.ngram_order + 1))))
    column = 0
    for length in range(2, config.ngram_order + 1):  # of a run, only its last word is told
        views[:, column : column + config.ngram_size] = axes * scale
        column += config.ngram_size * length
    weights["runs.table.weight"] = torch.from_numpy(rows / scale).float()
    weights["runs.views.weight"] = torch.from_numpy(views).float()
    torch.save(weights, options.output)


if __name__ == "__main__":
    main()
