"""Marks that a text has already: the network sees the words without them, and each stays where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARKS = frozenset("、。，．！？…‥；：,.!?;:")
"""What ends a clause or a sentence in some script; brackets and quotation marks do not."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The words of a text, and the marks that it has."""

    lead: str
    """Marks before the first word."""
    words: tuple[str, ...]
    own: tuple[str, ...]
    """The marks behind each word; the empty string for none."""
    places: tuple[int, ...]
    """Of the words, among all that were given."""


def apart(words: Sequence[str]) -> Apart:
    """Words that are not marks, and with each the marks that follow it."""
    spoken: list[str] = []
    places: list[int] = []
    own = [""]
    for place, word in enumerate(words):
        if MARKS.issuperset(word):
            own[-1] += word
        else:
            spoken.append(word)
            places.append(place)
            own.append("")
    return Apart(own[0], tuple(spoken), tuple(own[1:]), tuple(places))


def brings_mark(word: str, own: str) -> bool:
    """Whether a word needs no mark: one follows it, or stands at its end, as in `ok!`."""
    return bool(own) or word[-1] in MARKS
