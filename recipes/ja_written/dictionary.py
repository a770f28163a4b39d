"""The words of two dictionaries that agree: pronunciation and class from one, frequency from the other."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from pathlib import Path

from mecab import entries
from readings import KATAKANA, plain_pronunciation, word_class

from uniasr.text.kana import katakana

FIELDS = ("pos", "pos_group1", "pos_group2", "pos_group3", "ctype", "cform", "orig", "read", "pron")
MOZC_SCALE = 500.0
"""Mozc's costs are negative natural logarithms times this."""
DIGIT = re.compile(r"[\d/]")

Entry = tuple[str, str]
"""Written form and pronunciation."""


def agreed_words(naist: Path, mozc: Path) -> dict[Entry, tuple[str, float]]:
    """Class and Mozc cost (natural logarithm) of every word that both know with the same reading."""
    cost: dict[tuple[str, str], float] = {}
    for reading, value, features in entries(mozc):
        key = (features[0], katakana(reading))
        cost[key] = min(value / MOZC_SCALE, cost.get(key, math.inf))
    found: dict[Entry, tuple[str, float]] = {}
    rank: dict[Entry, int] = defaultdict(lambda: 2**15)
    for surface, value, features in entries(naist):
        entry = dict(zip(FIELDS, features, strict=False))
        pronunciation = plain_pronunciation(entry.get("pron", ""))
        known = cost.get((surface, entry.get("read", "")))
        if known is None or not KATAKANA.fullmatch(pronunciation) or DIGIT.search(surface):
            continue
        key = (surface, pronunciation)
        if value < rank[key]:
            rank[key], found[key] = value, (word_class(entry), known)
    return found
