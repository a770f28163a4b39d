"""Back-off n-gram language models over tokens, from ARPA files and from sorted tables.

The words of an ARPA file are the recogniser's tokens. n-grams with other words can never come up and are passed over; a
token that the file does not have is as likely as its `<unk>`, else as its rarest word.
Source: the format as SRILM's ngram-format(5) and KenLM write it.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from uniasr.decoding.hypotheses import EOS
from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.types import F32, I64, U8

Context = tuple[int, ...]

LN_10 = math.log(10.0)
MOST_ORDER, MOST_NGRAMS, MOST_LINE = 10, 50_000_000, 100_000
ROUNDING = 1e-3
"""Above the logarithm 0, some tools round probabilities of 1."""
CACHED_VALUES = 2**22
"""Log-probabilities kept in memory, 16 MiB."""
CACHED_CONTEXTS = 2**16
_COUNT = re.compile("[0-9]{1,12}")
_UNKNOWN = ("<unk>", "<UNK>")


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order, sorted: each is a node, known by its place here."""

    keys: I64
    """[N] place of all words but the last one in the level below, times V, plus the last word."""
    values: F32
    """[N] natural log-probability of the last word after the others."""
    backoffs: F32
    """[N] natural log of the back-off weight of all words."""


class NgramModel:
    """An n-gram model as a `lm.LanguageModel`: a hypothesis's state is the longest context that the model knows."""

    def __init__(self, levels: Sequence[Level]) -> None:
        """Take the levels from order 1, which has every token, upwards."""
        self._levels = levels
        self.vocab_size = len(levels[0].keys)
        self._row = lru_cache(maxsize=max(64, CACHED_VALUES // self.vocab_size))(self._computed)
        self._shortened = lru_cache(maxsize=CACHED_CONTEXTS)(self._cut)

    @classmethod
    def from_tables(cls, orders: Iterable[tuple[U8, F32, U8, F32]]) -> NgramModel:
        """A model from the orders of a trie, lowest first.

        Args:
            orders: of each the last tokens [N], log-probabilities [N], how many n-grams of the next order begin with
                each [N], and logarithms of the back-off weights [N]; the two last are [0] in the highest order.
        """
        levels: list[Level] = []
        nodes: I64 = np.zeros(0, np.int64)
        for tokens, values, followers, backoffs in orders:
            vocabulary = len(levels[0].keys) if levels else 0
            keys = nodes * vocabulary + tokens if levels else tokens.astype(np.int64)
            levels.append(Level(keys, values, backoffs))
            nodes = np.repeat(np.arange(len(followers)), followers)
        return cls(levels)

    def start(self, beam: int) -> tuple[Context, ...]:
        """Nothing said yet."""
        return ((),) * beam

    def predict(self, state: tuple[Context, ...], tokens: I64) -> tuple[F32, tuple[Context, ...]]:
        """[B, V] after tokens [B]."""
        after = tuple(self._known((*context, token)) for context, token in zip(state, tokens.tolist(), strict=True))
        return np.stack([self._row(context) for context in after]), after

    def select(self, state: tuple[Context, ...], parents: I64) -> tuple[Context, ...]:
        """Contexts of the parents."""
        return tuple(state[parent] for parent in parents.tolist())

    def _known(self, context: Context) -> Context:
        """The longest end of a context that says something about what comes next."""
        context = context[-(len(self._levels) - 1) :] if len(self._levels) > 1 else ()
        return self._shortened(context)

    def _cut(self, context: Context) -> Context:
        while context and self._node(context) is None:
            context = context[1:]
        return context

    def _node(self, context: Context) -> int | None:
        """Place of a context in its level, None if the model does not have it."""
        node = context[0]
        for level, token in zip(self._levels[1:], context[1:], strict=False):
            key = node * self.vocab_size + token
            node = int(level.keys.searchsorted(key))
            if node == len(level.keys) or level.keys[node] != key:
                return None
        return node

    def _computed(self, context: Context) -> F32:
        """[V]: a shorter context's with its back-off, and in their places the n-grams of this one."""
        if not context:
            return self._levels[0].values
        shorter, node = self._row(context[1:]), self._node(context)
        if node is None:
            return shorter
        row: F32 = shorter + self._levels[len(context) - 1].backoffs[node]
        level = self._levels[len(context)]
        begin, end = level.keys.searchsorted([node * self.vocab_size, (node + 1) * self.vocab_size])
        row[level.keys[begin:end] - node * self.vocab_size] = level.values[begin:end]
        row.setflags(write=False)
        return row


def read_arpa(path: Path, ids: Mapping[str, int]) -> NgramModel:
    """The model in an `.arpa` or `.arpa.gz` file.

    Args:
        path: the file, in UTF-8.
        ids: the recogniser's tokens, `<s>`, `</s>` and `<unk>` among them, and their ids from 0.

    Raises ModelNotFoundError when there is no file, ModelError naming the line that makes no sense.
    """
    if not path.is_file():
        raise ModelNotFoundError(f"{path} is no file; an .arpa file is needed")
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            return _Reader(path, file, ids).read()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ModelError(f"{path} cannot be read as an .arpa file: {error}") from error


class _Reader:
    """One pass over the lines of a file."""

    def __init__(self, path: Path, file: IO[str], ids: Mapping[str, int]) -> None:
        self._path, self._file, self._number = path, file, 0
        self._unknown_id = next((ids[word] for word in _UNKNOWN if word in ids), -1)
        self._ids = {**dict.fromkeys(_UNKNOWN, self._unknown_id), **ids}
        self._size = len(ids)
        self._levels: list[Level] = []

    def read(self) -> NgramModel:
        counts = self._counts()
        for order, count in enumerate(counts, start=1):
            words, values, backoffs = self._section(order, count, last=order == len(counts))
            self._levels.append(
                self._level(words, values, backoffs) if order > 1 else self._first(words, values, backoffs)
            )
        if next(self._lines(), "") != "\\end\\":
            self._fail("stands where \\end\\ should")
        return NgramModel(self._levels)

    def _lines(self) -> Iterator[str]:
        """Lines with something on them."""
        while line := self._file.readline(MOST_LINE + 1):
            self._number += 1
            if len(line) > MOST_LINE:
                self._fail("is too long")
            if line.strip():
                yield line.strip("\r\n ")

    def _counts(self) -> list[int]:
        """n-grams of each order, from the head."""
        for line in self._lines():  # what stands before the head is a comment
            if line.lstrip("\ufeff") == "\\data\\":
                break
        counts: list[int] = []
        for line in self._lines():
            if line == "\\1-grams:" and counts:
                return counts
            name, _, count = line.removeprefix("ngram ").partition("=")
            if name.strip() != str(len(counts) + 1) or not _COUNT.fullmatch(count.strip()):
                self._fail("is no line 'ngram N=COUNT' in order")
            counts.append(int(count))
            if len(counts) > MOST_ORDER or counts[-1] > MOST_NGRAMS:
                self._fail(f"is beyond what is read: order {MOST_ORDER}, {MOST_NGRAMS} n-grams")
        raise ModelError(f"{self._path} has no \\data\\ part before its n-grams; it is no .arpa file")

    def _section(self, order: int, count: int, *, last: bool) -> tuple[I64, F32, F32]:
        """Tokens [N, order], log-probabilities and back-offs of the n-grams that can come up."""
        lines = self._lines()
        if order > 1 and next(lines, "") != f"\\{order}-grams:":
            self._fail(f"stands where \\{order}-grams: should; the counts in the head must be right")
        words, values, backoffs = array("q"), array("f"), array("f")
        for _ in range(count):
            fields = next(lines, "").split()
            if len(fields) not in (order + 1, order + 2) or (last and len(fields) > order + 1):
                self._fail(f"is no {order}-gram; the counts in the head must be right")
            ids = [self._ids.get(word, -1) for word in fields[1 : order + 1]]
            if min(ids) >= 0:
                words.extend(ids)
                values.append(self._value(fields[0]))
                if values[-1] > ROUNDING:
                    self._fail("has a probability above 1")
                backoffs.append(self._value(fields[-1]) if len(fields) == order + 2 else 0.0)
        table = np.array(words, np.int64).reshape(-1, order)
        return table, np.array(values, np.float32), np.array(backoffs, np.float32)

    def _level(self, words: I64, values: F32, backoffs: F32) -> Level:
        """The n-grams of an order above 1, sorted by their beginnings."""
        nodes = words[:, 0]
        for column, level in enumerate(self._levels[1:], start=1):
            keys = nodes * self._size + words[:, column]
            nodes = np.minimum(level.keys.searchsorted(keys), len(level.keys) - 1)
            if len(keys) and (not len(level.keys) or (level.keys[nodes] != keys).any()):
                self._fail(
                    f"ends {words.shape[1]}-grams of which some begin with words that are no n-gram of their own"
                )
        keys = nodes * self._size + words[:, -1]
        order = np.argsort(keys, kind="stable")
        return Level(keys[order], values[order], backoffs[order])

    def _first(self, words: I64, values: F32, backoffs: F32) -> Level:
        """A unigram for every token of the recogniser."""
        tokens = words[:, 0]
        if not ((tokens > EOS) & (tokens != self._unknown_id)).any():
            raise ModelError(
                f"{self._path} shares no word with the recogniser; its words must be tokens, separated by blanks"
            )
        unknown = values[tokens == self._unknown_id]
        rest = unknown[0] if len(unknown) else values[tokens > EOS].min()
        level = Level(np.arange(self._size), np.full(self._size, rest, np.float32), np.zeros(self._size, np.float32))
        level.values[tokens], level.backoffs[tokens] = values, backoffs
        return level

    def _value(self, text: str) -> float:
        try:
            value = float(text) * LN_10
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._fail("holds a number that is none, or not finite")
        return value

    def _fail(self, what: str) -> None:
        raise ModelError(f"{self._path}: line {self._number} {what}")
