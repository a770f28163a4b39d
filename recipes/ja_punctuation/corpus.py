"""Sentences of the text corpus as words with the mark that follows each, in both renderings."""

from __future__ import annotations

import csv
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uniasr.text.words import split_words

MARKS = ("<unk>", "_", "、", "。", "？")
LABELS = {"、": 2, "，": 2, "。": 3, "．": 3, "！": 3, "!": 3, "？": 4, "?": 4}
"""An exclamation mark counts as a full stop: nothing in the words tells them apart."""
NONE, COMMA, STOP, QUESTION = 1, 2, 3, 4
ENDS = ("。", "？")
"""Words that tell the network where sentences end, the last two of its list: those of the labels STOP and QUESTION."""
RENDERINGS = ("text", "kana")

_UNSPOKEN = re.compile(r"[「」『』（）()・…‥\s]")
_MARK = re.compile("([" + "".join(LABELS) + "])")


@dataclass(frozen=True)
class Sentence:
    """Words without marks, and the label of each."""

    source: str
    words: tuple[str, ...]
    labels: tuple[int, ...]


def marked(text: str) -> tuple[list[str], list[int]]:
    """The words of a text and their labels; of several marks in a row the strongest counts."""
    words: list[str] = []
    labels: list[int] = []
    for piece in _MARK.split(_UNSPOKEN.sub("", text)):
        if piece not in LABELS:
            found = split_words(piece)
            words += found
            labels += [NONE] * len(found)
        elif labels:
            labels[-1] = max(labels[-1], LABELS[piece])
    return words, labels


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Lines of an xz-compressed table with a header."""
    with lzma.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def sentences(path: Path, rendering: str) -> Iterator[Sentence | None]:
    """The sentences of a table; None for a fragment, which ends in a comma or, transcribed speech, in nothing.

    Written sentences without a mark at their end get a full stop.
    """
    for row in rows(path):
        words, labels = marked(row[rendering])
        if not words or labels[-1] == COMMA or (labels[-1] == NONE and row["source"] == "koniwa"):
            yield None
            continue
        if labels[-1] == NONE:
            labels[-1] = STOP
        yield Sentence(row["source"], tuple(words), tuple(labels))
