"""A run of kana of any length, searched in windows: memory is that of one window, work grows with the length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from uniasr.text.kana_kanji.lattice import Lattice, build, going_on
from uniasr.text.kana_kanji.listed import ListedWords
from uniasr.text.kana_kanji.search import Ways, described, search
from uniasr.text.kana_kanji.tables import START, Tables

SIZE, MARGIN = 256, 32
"""Kana that are searched at once; words that end in the last MARGIN of them are decided with the kana that follow."""
TOGETHER = 32
"""Runs that are searched at once."""


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


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a run has been searched."""

    run: str
    start: int = 0
    before: int = START
    last: int = START
    """The words in front of `start`."""

    @property
    def ends_here(self) -> bool:
        """Whether the next window is the last one."""
        return self.start + SIZE >= len(self.run)

    def behind(self, window: Window) -> _Place:
        """The place behind the words of the next window."""
        lattice, words = window.lattice, window.words
        before, last = (int(lattice.word[i]) for i in ([0, *words])[-2:])
        return _Place(self.run, self.start + int(lattice.end[words[-1]]), before, last)


def windows(run: str, tables: Tables, listed: ListedWords) -> Iterator[Window]:
    """The windows of a run of katakana; each begins with what the one before has left, behind its last two words."""
    place = _Place(run)
    while place.start < len(run):
        (window,) = _next_windows([place], tables, listed)
        yield window
        place = place.behind(window)


def best_costs(runs: Sequence[str], tables: Tables, listed: ListedWords) -> list[float]:
    """The cost of the words of each run; together or one by one, they are the same."""
    found = [0.0] * len(runs)
    places = {number: _Place(run) for number, run in enumerate(runs) if run}
    while places:
        some = list(islice(places.items(), TOGETHER))
        next_ones = _next_windows([place for _, place in some], tables, listed)
        for (number, place), window in zip(some, next_ones, strict=True):
            found[number] += window.cost
            places[number] = place.behind(window)
            if place.ends_here:
                del places[number]
    return found


def _next_windows(places: Sequence[_Place], tables: Tables, listed: ListedWords) -> Iterator[Window]:
    """The window at each place."""
    texts = [place.run[place.start : place.start + SIZE] for place in places]
    lattices = build(texts, tables, listed, [place.last for place in places])
    found = search(lattices, described(lattices, tables), tables, [place.before for place in places])
    for number, (place, kana, ways) in enumerate(zip(places, texts, found, strict=True)):
        lattice = lattices.lattice(number)
        path = ways.path(len(lattice.start) - 1)[:-1]
        words = path if place.ends_here else [i for i in path if lattice.end[i] <= SIZE - MARGIN]
        cost = float(ways.cost[-1 if place.ends_here else words[-1]])
        yield Window(place.start, kana, lattice, ways, tuple(words), cost)


def settled(window: Window, tables: Tables, listed: ListedWords, size: int) -> int:
    """Leading kana of a run whose words stay the same whatever follows the first `size` kana of its last window.

    They are the first words that all ways share which the search may go on from, at the places where a word may begin
    that reaches beyond the window. Words that a longer text would leave to the next window are not settled.
    """
    end = window.lattice.end
    # with more kana a full window would not be the last one
    words = window.words if size == SIZE else _shared(window, tables, listed, size)
    return window.start + max((int(end[i]) for i in words if end[i] <= SIZE - MARGIN), default=0)


def _shared(window: Window, tables: Tables, listed: ListedWords, size: int) -> Sequence[int]:
    """The first words of all ways on."""
    shared: list[int] | None = None
    places = going_on(window.kana[:size], tables, listed)
    for word in (int(word) for place in places for word in window.ways.ending(place)):
        path = window.ways.path(word)
        if shared is not None:
            path = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(shared, path, strict=False))]
        shared = path
        if not shared:
            break
    return shared or ()
