"""Words as punctuation models see them, and the list of words that such a model knows.

A word is one character, or a run of ASCII characters; white space only separates.
Source: funasr 1.4.16 funasr/models/ct_transformer/utils.py split_words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from uniasr.errors import ModelError
from uniasr.text.vocabulary import UNKNOWN_MARKS, read_token_list

Splitter: TypeAlias = Callable[[str], list[str]]
"""Cuts a text into words that are together the text without white space."""

_WORD = re.compile(r"[!-\x7f\x00-\x08\x0e-\x1b]+|\S")
"""A run of ASCII without white space (as str.split knows it), or any other character that is no white space."""


def split_words(text: str) -> list[str]:
    """`"GPU2023模型it's好 ok"` -> `["GPU2023", "模", "型", "it's", "好", "ok"]`."""
    return _WORD.findall(text)


def word_spans(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words of a text begin and end, in characters; words may be cut anywhere but skip white space only."""
    places = [place for place, char in enumerate(text) if not char.isspace()]
    spans, done = [], 0
    for word in words:
        spans.append((places[done], places[done + len(word) - 1] + 1))
        done += len(word)
    return spans


@dataclass(frozen=True, slots=True)
class WordList:
    """Words by id; one of them, `<unk>`, stands for all that are not in the list."""

    words: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if complaint := _complaint(self.words):
            raise ModelError(f"the word list {complaint}")
        object.__setattr__(self, "_ids", {word: i for i, word in enumerate(self.words)})

    def __len__(self) -> int:
        return len(self.words)

    @property
    def unknown_id(self) -> int:
        """Id of all words that are not in the list."""
        return next(i for i, word in enumerate(self.words) if word.lower() in UNKNOWN_MARKS)

    def ids_of(self, words: Iterable[str]) -> list[int]:
        """The ids of words; case counts, as in the published system."""
        unknown = self.unknown_id
        return [self._ids.get(word, unknown) for word in words]


def read_words(path: Path) -> WordList:
    """The words in tokens.txt (one a line) or tokens.json (a list of strings).

    Raises ModelError naming the file when it is missing, unreadable or no word list.
    """
    return words_from(read_token_list(path), str(path))


def words_from(words: Any, where: str) -> WordList:
    """A word list from a list that was found in a file; `where` names that place in the ModelError."""
    if not isinstance(words, list | tuple):
        raise ModelError(f"{where} is no list of words but a {type(words).__name__}")
    if complaint := _complaint(words):
        raise ModelError(f"{where} {complaint}")
    return WordList(tuple(words))


def _complaint(words: Sequence[Any]) -> str | None:
    """What is wrong with a word list, or None."""
    for i, word in enumerate(words):
        if not isinstance(word, str) or not word:
            return f"has {word!r:.80} as word {i}; every word must be a non-empty string"
    if len(set(words)) < len(words):
        repeated = [word for word, count in Counter(words).items() if count > 1]
        return f"has duplicate words: {', '.join(map(repr, repeated[:5]))}"
    if sum(word.lower() in UNKNOWN_MARKS for word in words) != 1:
        return "must hold <unk>, once"
    return None
