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


@dataclass(frozen=True, slots=True)
class Left:
    """What a window leaves to the next one."""

    size: int
    """Kana of the words that it took."""
    before: int = START
    last: int = START
    """The last two words."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Kana to be searched in one window; nothing else decides what is found."""

    kana: str
    before: int
    last: int
    """The words in front of them."""
    goes_on: bool
    """Whether more kana follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """An excerpt of a run, and the words that are taken from it."""

    kana: str
    lattice: Lattice
    ways: Ways
    words: tuple[int, ...]
    """Of the lattice, in order; the next window begins behind the last one."""
    cost: float
    """Of these words; in the last window also of the end of the text."""

    @property
    def left(self) -> Left:
        """What begins the next window."""
        before, last = (int(self.lattice.word[i]) for i in ([0, *self.words])[-2:])
        return Left(int(self.lattice.end[self.words[-1]]), before, last)

    def alone(self, words: Sequence[int], size: int) -> bool:
        """Whether these words are one and all that there is of a run of so many kana."""
        return len(words) == 1 and int(self.lattice.word[0]) == START and int(self.lattice.end[words[0]]) == size


@dataclass(frozen=True, slots=True)
class Reached:
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

    @property
    def excerpt(self) -> Excerpt:
        """The kana of the next window."""
        return Excerpt(self.run[self.start : self.start + SIZE], self.before, self.last, not self.ends_here)

    def behind(self, left: Left) -> Reached:
        """The place behind the words of the next window."""
        return Reached(self.run, self.start + left.size, left.before, left.last)


def best_costs(runs: Sequence[str], tables: Tables, listed: ListedWords) -> list[float]:
    """The cost of the words of each run; together or one by one, they are the same."""
    found = [0.0] * len(runs)
    places = {number: Reached(run) for number, run in enumerate(runs) if run}
    while places:
        some = list(islice(places.items(), TOGETHER))
        next_ones = searched([place.excerpt for _, place in some], tables, listed)
        for (number, place), window in zip(some, next_ones, strict=True):
            found[number] += window.cost
            if place.ends_here:
                del places[number]
            else:
                places[number] = place.behind(window.left)
    return found


def searched(excerpts: Sequence[Excerpt], tables: Tables, listed: ListedWords) -> Iterator[Window]:
    """The window of each excerpt; together or one by one, they are the same."""
    lattices = build([one.kana for one in excerpts], tables, listed, [one.last for one in excerpts])
    found = search(lattices, described(lattices, tables), tables, [one.before for one in excerpts])
    for number, (one, ways) in enumerate(zip(excerpts, found, strict=True)):
        lattice = lattices.lattice(number)
        path = ways.path(len(lattice.start) - 1)[:-1]
        words = [i for i in path if lattice.end[i] <= SIZE - MARGIN] if one.goes_on else path
        cost = float(ways.cost[words[-1] if one.goes_on else -1])
        yield Window(one.kana, lattice, ways, tuple(words), cost)


def settled(window: Window, tables: Tables, listed: ListedWords, size: int) -> int:
    """Leading kana of a run's last window whose words stay the same whatever follows its first `size` kana.

    They are the first words that all ways share which the search may go on from, at the places where a word may begin
    that reaches beyond the window. Words that a longer text would leave to the next window are not settled, nor is one
    word alone.
    """
    end = window.lattice.end
    # with more kana a full window would not be the last one
    words = window.words if size == SIZE else _shared(window, tables, listed, size)
    if window.alone(words, size):
        return 0  # a second word changes its certainty
    return max((int(end[i]) for i in words if end[i] <= SIZE - MARGIN), default=0)


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
