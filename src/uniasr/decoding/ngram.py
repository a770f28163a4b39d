"""Back-off n-gram language models over tokens, read from ARPA files.

The words of the file are the recogniser's tokens. n-grams with other words can never come up and are passed over; a
token that the file does not have is as likely as its `<unk>`, else as its rarest word.
Source: the format as SRILM's ngram-format(5) and KenLM write it.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.types import F32, F64, I64

Context = tuple[int, ...]

LN_10 = math.log(10.0)
MOST_ORDER, MOST_NGRAMS, MOST_LINE = 10, 50_000_000, 100_000
_CACHED_VALUES = 2**22
"""Log-probabilities kept in memory, 16 MiB."""
_UNKNOWN = ("<unk>", "<UNK>")


class NgramModel:
    """An n-gram model as a `lm.LanguageModel`: a hypothesis's state is the longest context that the model knows."""

    def __init__(
        self, vocab_size: int, ngrams: Mapping[Context, Mapping[int, float]], backoffs: Mapping[Context, float]
    ) -> None:
        """Take natural log-probabilities of tokens by context, those of () complete, and back-offs by context."""
        self.vocab_size = vocab_size
        self._backoffs = backoffs
        self._next = {
            context: (np.array(list(found), np.int64), np.array(list(found.values()), np.float64))
            for context, found in ngrams.items()
        }
        self._row = lru_cache(maxsize=max(64, _CACHED_VALUES // vocab_size))(self._computed)

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
        """The longest end of a context that changes what comes next."""
        while context and context not in self._next and context not in self._backoffs:
            context = context[1:]
        return context

    def _computed(self, context: Context) -> F32:
        row = self._log_probs(context).astype(np.float32)
        row.setflags(write=False)
        return row

    def _log_probs(self, context: Context) -> F64:
        """[V] in float64: a shorter context's with its back-off, and in their places the n-grams of this one."""
        row: F64 = np.zeros(self.vocab_size)
        if context:
            row = self._log_probs(context[1:]) + self._backoffs.get(context, 0.0)
        if context in self._next:
            ids, values = self._next[context]
            row[ids] = values
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
        self._ngrams: dict[Context, dict[int, float]] = {(): {}}
        self._backoffs: dict[Context, float] = {}

    def read(self) -> NgramModel:
        counts = self._counts()
        for order, count in enumerate(counts, start=1):
            self._section(order, count, last=order == len(counts))
        if next(self._lines(), "") != "\\end\\":
            self._fail("stands where \\end\\ should")
        self._complete()
        return NgramModel(self._size, self._ngrams, self._backoffs)

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
            if line == "\\data\\":
                break
        counts: list[int] = []
        for line in self._lines():
            if line == "\\1-grams:" and counts:
                return counts
            name, _, count = line.removeprefix("ngram ").partition("=")
            if name.strip() != str(len(counts) + 1) or not count.strip().isdecimal():
                self._fail("is no line 'ngram N=COUNT' in order")
            counts.append(int(count))
            if len(counts) > MOST_ORDER or counts[-1] > MOST_NGRAMS:
                self._fail(f"is beyond what is read: order {MOST_ORDER}, {MOST_NGRAMS} n-grams")
        raise ModelError(f"{self._path} has no \\data\\ part before its n-grams; it is no .arpa file")

    def _section(self, order: int, count: int, *, last: bool) -> None:
        lines = self._lines()
        if order > 1 and next(lines, "") != f"\\{order}-grams:":
            self._fail(f"stands where \\{order}-grams: should; the counts in the head must be right")
        for _ in range(count):
            fields = next(lines, "").split()
            if len(fields) not in (order + 1, order + 2) or (last and len(fields) > order + 1):
                self._fail(f"is no {order}-gram; the counts in the head must be right")
            words = [self._ids.get(word, -1) for word in fields[1 : order + 1]]
            if min(words) < 0:
                continue
            *before, token = words
            self._ngrams.setdefault(tuple(before), {})[token] = self._value(fields[0])
            if len(fields) == order + 2 and (backoff := self._value(fields[-1])):
                self._backoffs[tuple(words)] = backoff

    def _value(self, text: str) -> float:
        try:
            value = float(text) * LN_10
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self._fail("holds a number that is none, or not finite")
        return value

    def _complete(self) -> None:
        """Give every token of the recogniser a unigram."""
        unigrams = self._ngrams[()]
        words = [value for token, value in unigrams.items() if token > 2]
        if not words:
            raise ModelError(
                f"{self._path} shares no word with the recogniser; its words must be tokens, separated by blanks"
            )
        lowest = unigrams.get(self._unknown_id, min(words))
        for token in range(self._size):
            unigrams.setdefault(token, lowest)

    def _fail(self, what: str) -> None:
        raise ModelError(f"{self._path}: line {self._number} {what}")
