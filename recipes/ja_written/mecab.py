"""The entries of a compiled MeCab dictionary (`sys.dic`, version 102), without MeCab.

Layout (mecab 0.996, dictionary.cpp and darts.h): ten 32-bit numbers, the name of the encoding in 32 bytes, a double
array whose units are (base, check), tokens of 16 bytes, and the features as C strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

HEADER = 40 + 32
TOKEN = np.dtype(
    [("left", "<u2"), ("right", "<u2"), ("pos", "<u2"), ("cost", "<i2"), ("feature", "<u4"), ("compound", "<u4")]
)


def entries(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    """Word, cost and the fields of its features, for each entry."""
    data = path.read_bytes()
    sizes = np.frombuffer(data, "<u4", 10)
    trie_size, token_size, feature_size = (int(size) for size in sizes[6:9])
    units = np.frombuffer(data, np.dtype([("base", "<i4"), ("check", "<u4")]), trie_size // 8, HEADER)
    tokens = np.frombuffer(data, TOKEN, token_size // TOKEN.itemsize, HEADER + trie_size)
    features = data[HEADER + trie_size + token_size : HEADER + trie_size + token_size + feature_size]
    for word, value in _words(units["base"].astype(np.int64), units["check"].astype(np.int64)):
        first, count = value >> 8, value & 0xFF
        for token in tokens[first : first + count]:
            start = int(token["feature"])
            line = features[start : features.index(b"\0", start)].decode("utf-8")
            yield word, int(token["cost"]), line.split(",")


def _words(base: np.ndarray, check: np.ndarray) -> Iterator[tuple[str, int]]:
    """Every word of a double array with its value: a unit that checks itself ends the word of its node."""
    nodes = np.flatnonzero(base > 0)
    owner = np.full(int(base.max()) + 1, -1, np.int64)
    owner[base[nodes]] = nodes
    ends = np.flatnonzero((base < 0) & (check == np.arange(len(check))))
    for end in ends:
        node, letters = int(owner[end]), bytearray()
        while node > 0:
            letters.append(node - int(check[node]) - 1)
            node = int(owner[check[node]])
        yield letters[::-1].decode("utf-8"), -int(base[end]) - 1
