"""The words that a run of kana becomes.

A text that goes on is asked for again and again. Nothing behind a full window changes its words, so that they are kept:
what is searched each time is the last window alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from uniasr.text.kana_kanji.certainty import certainties
from uniasr.text.kana_kanji.lattice import Lattice
from uniasr.text.kana_kanji.listed import ListedWords
from uniasr.text.kana_kanji.tables import UNKNOWN, Tables
from uniasr.text.kana_kanji.windows import Excerpt, Left, Reached, Window, searched

MOST_KEPT = 256
"""Full windows whose words are kept, of all texts together: some ten thousand words."""


@dataclass(frozen=True, slots=True)
class Word:
    """`kana[start:end]` is written `text`, as probably as `certainty` says."""

    start: int
    end: int
    text: str
    certainty: float


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a run, by their places in the text, and the window that was searched for the last of them."""

    words: list[Word]
    start: int
    """Of the window, in the run."""
    window: Window


def words_of(run: str, at: int, tables: Tables, listed: ListedWords, *, certain: bool) -> Words:
    """The words of a run of katakana that begins `at` a place of a text; some certainties are 1 unless wanted."""
    place, words = Reached(run), list[Word]()
    while not place.ends_here:
        found, left = _full(place.excerpt, tables, listed)
        words += _moved(found, at + place.start)
        place = place.behind(left)
    (window,) = searched([place.excerpt], tables, listed)
    words += _moved(_words(window, tables, listed, certain=certain), at + place.start)
    return Words(words, place.start, window)


def written(lattice: Lattice, i: int, kana: str, tables: Tables, listed: ListedWords) -> str:
    """How word `i` of the lattice of some kana is written."""
    word = int(lattice.word[i])
    text = listed.words[-1 - word].surface if word < 0 else "" if word == UNKNOWN else tables.surface(word)
    return text or kana[int(lattice.start[i]) : int(lattice.end[i])]


@lru_cache(maxsize=MOST_KEPT)
def _full(excerpt: Excerpt, tables: Tables, listed: ListedWords) -> tuple[tuple[Word, ...], Left]:
    """The words of a full window, and what it leaves to the next one."""
    (window,) = searched([excerpt], tables, listed)
    return tuple(_words(window, tables, listed, certain=True)), window.left


def _words(window: Window, tables: Tables, listed: ListedWords, *, certain: bool) -> Iterator[Word]:
    lattice = window.lattice
    sure = certainties(window) if certain else [1.0] * len(window.words)
    for i, certainty in zip(window.words, sure, strict=True):
        text = written(lattice, i, window.kana, tables, listed)
        yield Word(int(lattice.start[i]), int(lattice.end[i]), text, certainty)


def _moved(words: Iterable[Word], by: int) -> Iterator[Word]:
    return (Word(word.start + by, word.end + by, word.text, word.certainty) for word in words)
