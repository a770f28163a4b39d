"""Words of the dictionary in a sentence: where they end in both renderings, and what part of speech they are.

Only training reads this: the network learns to tell word ends and parts of speech, on which commas depend, beside the
marks. The analysis is SudachiPy's with its core dictionary (Apache 2.0).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from sudachipy import dictionary, tokenizer

MODE = tokenizer.Tokenizer.SplitMode.C
_FUNCTION = ("助詞", "助動詞", "接続詞")
_LONG = {
    **dict.fromkeys("オコソトノホモヨロゴゾドボポョ", "ウ"),
    **dict.fromkeys("エケセテネヘメレゲゼデベペ", "イ"),
}
_PARTICLES = {"は": "ワ", "へ": "エ"}


@dataclass(frozen=True, slots=True)
class Morpheme:
    """A word of the dictionary: as written, its part of speech, its reading as it is spoken."""

    surface: str
    tag: str
    """Part of speech and inflection; for particles and the like with the word itself."""
    coarse: str
    pronounced: str


class Analyser:
    """SudachiPy with the core dictionary."""

    def __init__(self) -> None:
        self._tokenizer = dictionary.Dictionary(dict="core").create()

    def morphemes(self, text: str) -> list[Morpheme]:
        """The words of a text without marks, which are together the text."""
        return [_morpheme(found) for found in self._tokenizer.tokenize(text, MODE)]


def _morpheme(found: tokenizer.Morpheme) -> Morpheme:
    parts, surface = found.part_of_speech(), found.surface()
    coarse = "-".join(part for part in parts[:4] if part != "*")
    itself = surface if parts[0] in _FUNCTION else ""
    reading = found.reading_form()
    if parts[0] == "助詞":
        reading = _PARTICLES.get(surface, reading)
    return Morpheme(surface, f"{coarse}/{itself}/{parts[5]}", coarse, _spoken(reading))


def _spoken(reading: str) -> str:
    """Long vowels as they are written in a pronunciation (トウ as トー)."""
    out: list[str] = []
    for char in reading:
        out.append("ー" if out and _LONG.get(out[-1]) == char else char)
    return "".join(out)


def text_ends(morphemes: Sequence[Morpheme], words: Sequence[str]) -> list[int]:
    """For each morpheme the number of words up to its end, or -1 where it ends inside a word (a run of digits)."""
    places, done = {0: 0}, 0
    for number, word in enumerate(words, start=1):
        done += len(word)
        places[done] = number
    ends, done = [], 0
    for morpheme in morphemes:
        done += len(morpheme.surface)
        ends.append(places.get(done, -1))
    return ends


def kana_ends(morphemes: Sequence[Morpheme], words: Sequence[str]) -> list[int]:
    """The same in a pronunciation of the sentence: where the readings fit it best; -1 where they do not.

    `words` are single characters, or runs of ASCII.
    """
    reading = [char for morpheme in morphemes for char in morpheme.pronounced]
    blocks = difflib.SequenceMatcher(None, reading, words, autojunk=False).get_matching_blocks()
    place = {}
    for block in blocks:
        for i in range(block.size):
            place[block.a + i + 1] = block.b + i + 1  # an end belongs to the matching character before it
    ends, done = [], 0
    for morpheme in morphemes:
        done += len(morpheme.pronounced)
        ends.append(place.get(done, -1))
    if ends:
        ends[-1] = len(words)
    return ends
