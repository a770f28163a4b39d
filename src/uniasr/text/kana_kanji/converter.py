"""Kana to written Japanese, as users meet it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal, overload

from uniasr.errors import OptionError
from uniasr.text.hotwords import Hotwords
from uniasr.text.kana import katakana
from uniasr.text.kana_kanji.alternatives import alternatives
from uniasr.text.kana_kanji.lattice import build
from uniasr.text.kana_kanji.listed import ListedWords, word_list
from uniasr.text.kana_kanji.search import described, search
from uniasr.text.kana_kanji.tables import Tables
from uniasr.text.kana_kanji.windows import SIZE, best_costs, settled
from uniasr.text.kana_kanji.words import Word, words_of, written
from uniasr.text.normalization.records import LITERAL, Normalized, Span

MOST_ALTERNATIVES = 100
TRIES = 20
"""Ways looked at for each alternative that is asked for: many ways write the same text."""
WORD = "word"
"""Kind of a span that was converted."""

_KANA = re.compile("[ぁ-ゖァ-ヺー]+")


class Converter:
    """Writes pronunciation katakana (キョーワイーテンキデスネ) as people do (今日はいい天気ですね).

    A trigram model of words chooses among all words of a dictionary that the kana may hold. What no word fits stays
    katakana. Immutable; safe to use from many threads.
    """

    def __init__(self, tables: Tables, directory: Path) -> None:
        self.tables, self.directory = tables, directory

    @overload
    def convert(
        self, kana: str, hotwords: Hotwords | ListedWords | None = None, *, spans: Literal[False] = False
    ) -> str: ...
    @overload
    def convert(
        self, kana: str, hotwords: Hotwords | ListedWords | None = None, *, spans: Literal[True]
    ) -> Normalized: ...
    def convert(
        self, kana: str, hotwords: Hotwords | ListedWords | None = None, *, spans: bool = False
    ) -> str | Normalized:
        """The text that these kana most probably stand for.

        Args:
            kana: katakana as they sound, without blanks: は as particle is ワ, long vowels are ー. Hiragana count as
                katakana; everything else stays as it is, and what stands on its two sides is converted apart.
            hotwords: words to prefer where their readings occur, in any form that `DecodingOptions.hotwords` takes.
            spans: also return from where in `kana` every word comes, and how probably it is the right one.

        Takes time in proportion to the length, and memory for the result alone. Raises OptionError for what is no
        text, and for unusable hotwords.
        """
        listed = word_list(hotwords)
        runs = (words_of(run, start, self.tables, listed, certain=spans) for start, run in _runs(kana))
        result = _result(kana, [word for run in runs for word in run.words])
        return result if spans else result.text

    def log_probability(self, kana: str, hotwords: Hotwords | ListedWords | None = None) -> float:
        """The natural logarithm of the probability of the best text for these kana, 0 without any.

        Arguments and errors as in `convert`.
        """
        return self.log_probabilities([kana], hotwords)[0]

    def log_probabilities(self, kana: Sequence[str], hotwords: Hotwords | ListedWords | None = None) -> list[float]:
        """The logarithm for each of several kana: which hypothesis of a recogniser makes most sense.

        Faster than one by one, and the same numbers. Arguments and errors as in `convert`.
        """
        if isinstance(kana, str):
            raise OptionError(f"kana is one string, {kana!r:.60}; give a list, even of one: [kana]")
        runs = [[run for _, run in _runs(text)] for text in kana]
        costs = iter(best_costs([run for part in runs for run in part], self.tables, word_list(hotwords)))
        return [-sum(islice(costs, len(part))) for part in runs]

    def settled(self, kana: str, hotwords: Hotwords | ListedWords | None = None) -> int:
        """Leading characters of the text whose written form stays the same whatever follows the text.

        Arguments and errors as in `convert`.
        """
        listed = word_list(hotwords)
        for start, run in _runs(kana):
            if start + len(run) == len(kana):
                found = words_of(run, start, self.tables, listed, certain=False)
                return start + found.start + settled(found.window, self.tables, listed, len(found.window.kana))
        return len(kana)  # a word holds nothing but kana

    def running(self, kana: str, stable: int, hotwords: Hotwords | ListedWords | None = None) -> tuple[Normalized, int]:
        """What a text that goes on looks like now, and how much of it stays if its first `stable` characters do.

        `convert` with spans and `settled` of the first characters, mostly by one search. Each time only the kana behind
        the last full window are searched, or little more. Arguments and errors as there.
        """
        if not 0 <= stable <= len(kana):
            raise OptionError(f"stable is {stable}; give a number from 0 to {len(kana)}, the characters that there are")
        listed, words, left = word_list(hotwords), list[Word](), stable
        for start, run in _runs(kana):
            found = words_of(run, start, self.tables, listed, certain=True)
            words += found.words
            if start < stable <= start + len(run):
                known = stable - start
                # in one window the ways to a place are the same whatever lies behind it
                fits = len(run) <= SIZE
                left = settled(found.window, self.tables, listed, known) if fits else self.settled(run[:known], listed)
                left += start
        return _result(kana, words), left

    def alternatives(
        self, kana: str, count: int = 5, hotwords: Hotwords | ListedWords | None = None
    ) -> list[tuple[str, float]]:
        """Up to `count` different texts with the logarithm of the probability of each, the best first.

        Args:
            kana: at most SIZE katakana or hiragana, nothing else.
            count: 1 to MOST_ALTERNATIVES.
            hotwords: as in `convert`.

        Raises OptionError for other texts and counts, and for unusable hotwords.
        """
        if not isinstance(count, int) or not 1 <= count <= MOST_ALTERNATIVES:
            raise OptionError(f"count is {count!r:.80}; give a whole number from 1 to {MOST_ALTERNATIVES}")
        _check_text(kana)
        if len(kana) > SIZE or not _KANA.fullmatch(kana):
            raise OptionError(f"{kana[:40]!r} has no alternatives; give 1 to {SIZE} kana and nothing else")
        kana, listed = katakana(kana), word_list(hotwords)
        lattices = build([kana], self.tables, listed)
        lattice = lattices.lattice(0)
        known = described(lattice, self.tables)
        found: dict[str, float] = {}
        (ways,) = search(lattices, known, self.tables)
        for cost, path in islice(alternatives(lattice, known, ways, self.tables), count * TRIES):
            found.setdefault("".join(written(lattice, i, kana, self.tables, listed) for i in path), -cost)
            if len(found) == count:
                break
        return list(found.items())


def _runs(text: str) -> Iterator[tuple[int, str]]:
    """Place and katakana of each run of kana. Raises OptionError for what is no text."""
    _check_text(text)
    return ((match.start(), katakana(match.group())) for match in _KANA.finditer(text))


def _check_text(kana: object) -> None:
    if not isinstance(kana, str):
        raise OptionError(f"kana is {kana!r:.60}; give a string")


def _result(source: str, words: Sequence[Word]) -> Normalized:
    spans: list[Span] = []
    texts: list[str] = []
    at = length = 0
    for word in [*words, Word(len(source), len(source), "", 1.0)]:
        for piece in (Word(at, word.start, source[at : word.start], 1.0), word):
            if piece.start < piece.end:
                kind = LITERAL if source[piece.start : piece.end] == piece.text else WORD
                end = length + len(piece.text)
                spans.append(Span(piece.start, piece.end, length, end, kind, piece.certainty))
                texts.append(piece.text)
                length = end
        at = word.end
    return Normalized(source, "".join(texts), tuple(spans))
