"""Spans of a conversion that returned text only: the words that differ from its source.

Words of scripts without blanks are their characters.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from uniasr.text.join import solid
from uniasr.text.normalization.records import Piece

_WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


def differences(source: str, text: str, start: int = 0) -> list[Piece]:
    """What changes from `source`, which stands at `start` of a longer one, to `text`."""
    before, after = _words(source), _words(text)
    starts = [start]
    for word in before:
        starts.append(starts[-1] + len(word))
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [
        Piece(starts[i1], starts[i2], "".join(after[j1:j2]), "converted")
        for kind, i1, i2, j1, j2 in changes
        if kind != "equal"
    ]


def _words(text: str) -> list[str]:
    words: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        words += list(word) if solid(word[0]) else [word]
    return words
