"""Hiragana and katakana: one as the other, and katakana alone."""

from __future__ import annotations

import re

_TO_KATAKANA = {code: code + 0x60 for code in (*range(ord("ぁ"), ord("ゖ") + 1), ord("ゝ"), ord("ゞ"))}
_TO_HIRAGANA = {new: old for old, new in _TO_KATAKANA.items()}
_NOT_KATAKANA = re.compile(r"[^ァ-ヴー]")


def katakana(text: str) -> str:
    """Hiragana as katakana, everything else as it is."""
    return text.translate(_TO_KATAKANA)


def hiragana(text: str) -> str:
    """Katakana as hiragana, everything else as it is."""
    return text.translate(_TO_HIRAGANA)


def katakana_only(text: str) -> str:
    """The pronunciation katakana of a text (ァ to ヴ, and ー) without blanks, marks and anything else."""
    return _NOT_KATAKANA.sub("", text)
