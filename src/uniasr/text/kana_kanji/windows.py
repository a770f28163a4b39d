"""A run of kana of any length, searched in windows: memory is that of one window, work grows with the length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from uniasr.text.kana_kanji.lattice import LONGEST_UNKNOWN, Lattice, build
from uniasr.text.kana_kanji.listed import WordList
from uniasr.text.kana_kanji.search import Ways, described, search
from uniasr.text.kana_kanji.tables import START, Tables

SIZE, MARGIN = 256, 32
"""Kana that are searched at once; words that end in the last MARGIN of them are decided with the kana that follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of a run, and the words that are taken from it."""

    start: int
    """In the run."""
    kana: str
    lattice: Lattice
    ways: Ways
    words: tuple[int, ...]
    """Of the lattice, in order; the next window begins behind the last one."""
    cost: float
    """Of these words; in the last window also of the end of the text."""


def windows(run: str, tables: Tables, listed: WordList) -> Iterator[Window]:
    """The windows of a run of katakana; each begins with what the one before has left, behind its last two words."""
    start, before, last = 0, START, START
    while start < len(run):
        kana = run[start : start + SIZE]
        lattice = build(kana, tables, listed, last)
        ways = search(lattice, described(lattice, tables), tables, before)
        path = ways.path(len(lattice.start) - 1)[:-1]
        ends_here = start + SIZE >= len(run)
        words = path if ends_here else [i for i in path if lattice.end[i] <= SIZE - MARGIN]
        yield Window(start, kana, lattice, ways, tuple(words), float(ways.cost[-1 if ends_here else words[-1]]))
        before, last = (int(lattice.word[i]) for i in ([0, *words])[-2:])
        start += int(lattice.end[words[-1]])


def settled(window: Window, tables: Tables, listed: WordList) -> int:
    """Leading kana of a run whose words stay the same whatever follows it; `window` is its last one.

    They are the first words that all ways share which the search may go on from, at the places where a word may begin
    that reaches beyond the window. Words that a longer text would leave to the next window are not settled.
    """
    end = window.lattice.end
    # with more kana a full window would not be the last one
    words = window.words if len(window.kana) == SIZE else _shared(window, tables, listed)
    return window.start + max((int(end[i]) for i in words if end[i] <= SIZE - MARGIN), default=0)


def _shared(window: Window, tables: Tables, listed: WordList) -> Sequence[int]:
    """The first words of all ways on."""
    longest = max(tables.longest, LONGEST_UNKNOWN, *listed.lengths)
    first = max(0, len(window.kana) + 1 - longest)
    shared: list[int] | None = None
    for word in (int(word) for kept in window.ways.ending[first : len(window.kana) + 1] for word in kept):
        path = window.ways.path(word)
        if shared is not None:
            path = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(shared, path, strict=False))]
        shared = path
        if not shared:
            break
    return shared or ()
