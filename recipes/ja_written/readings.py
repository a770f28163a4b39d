"""What the analysis of a word means here: its pronunciation in plain katakana, and the class of the language model."""

from __future__ import annotations

import re
from collections.abc import Mapping

KATAKANA = re.compile(r"[ァ-ヴー]+")
DROPPED = str.maketrans("", "", "’'*/")
LEXICAL = ("助詞", "助動詞")
"""Parts of speech whose every dictionary form is a class of its own: what may follow differs from word to word."""


def plain_pronunciation(pronunciation: str) -> str:
    """Without marks of devoiced vowels and accents."""
    return pronunciation.translate(DROPPED)


def word_class(entry: Mapping[str, str]) -> str:
    """The class of an analysed word: part of speech, inflection, and for function words the word itself."""
    parts = [entry[name] for name in ("pos", "pos_group1", "pos_group2", "ctype", "cform")]
    if entry["pos"] in LEXICAL:
        parts.append(entry["orig"])
    return "-".join(part for part in parts if part != "*")
