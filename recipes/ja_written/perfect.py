"""Make the hash tables that `uniasr.text.kana_kanji.hashing` reads."""

from __future__ import annotations

import numpy as np

from uniasr.text.kana_kanji.hashing import HashTable, bucket, mixed, slot

BUCKET, LOAD = 4, 0.95
"""Keys of a bucket on average; share of the slots that is filled."""
TRIES = 64
"""Shifts that are tried at once."""


def hash_table(keys: np.ndarray, values: np.ndarray) -> tuple[HashTable, np.ndarray]:
    """A table of distinct uint64 keys with values 0 to 255, and the slot of each key.

    Buckets are placed from the largest to the smallest, each with the first shift that sends its keys to free slots.
    """
    hashes = mixed(keys)
    count, buckets = int(len(keys) / LOAD) + 1, len(keys) // BUCKET + 1
    of = bucket(hashes, buckets).astype(np.int64)
    order = np.argsort(of, kind="stable")
    bounds = np.searchsorted(of[order], np.arange(buckets + 1))
    sizes = np.diff(bounds)
    shifts = np.zeros(buckets, np.uint16)
    taken = np.zeros(count, bool)
    places = np.zeros(len(keys), np.int64)
    for number in np.argsort(-sizes, kind="stable"):
        if not sizes[number]:
            break
        members = order[bounds[number] : bounds[number + 1]]
        shifts[number], places[members] = _place(hashes[members], taken)
        taken[places[members]] = True
    slots = np.zeros(count, np.uint32)
    slots[places] = ((hashes & np.uint64(0xFFFFFF)).astype(np.uint32) << np.uint32(8)) | values.astype(np.uint32)
    return HashTable(shifts, slots), places


def _place(hashes: np.ndarray, taken: np.ndarray) -> tuple[int, np.ndarray]:
    for first in range(0, 2**16, TRIES):
        shifts = np.arange(first, first + TRIES, dtype=np.uint64)[:, None]
        places = slot(hashes, shifts, len(taken)).astype(np.int64)
        free = ~taken[places].any(axis=1)
        for i in np.flatnonzero(free):
            if len(set(places[i].tolist())) == len(hashes):
                return first + int(i), places[i]
    raise RuntimeError("no shift of 16 bits places a bucket; lower LOAD or BUCKET")
