"""What may stand in a line of a subtitle and where it may be broken; no times, no cues."""

from __future__ import annotations

import unicodedata

from uniasr.text.join import solid

_NO_LINE_START = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー～〜…‥）」』】〕〉》｝］”’ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ,.:;?!)]}%％"
)
_NO_LINE_END = frozenset("（「『【〔〈《｛［“‘([{")
_ZERO_WIDTH_JOINER = "\u200d"


def one_line(text: str) -> str:
    """The text with every run of blanks and line ends as one blank, and without control characters."""
    return " ".join("".join(char for char in text if char.isspace() or unicodedata.category(char) != "Cc").split())


def columns(text: str) -> int:
    """Width of a text in columns of a fixed-width font; full-width characters take two.

    So do signs that are wide in Japanese fonts alone (… ℃ →), but no letters (é α я are such, too).
    """
    return sum(2 if _wide(char) else 1 for char in text if not unicodedata.combining(char))


def _wide(char: str) -> bool:
    width = unicodedata.east_asian_width(char)
    return width in "WF" or (width == "A" and not char.isalpha())


def joins_previous(previous: str, char: str) -> bool:
    """Whether a character cannot be parted from the one before it: combining marks, joined emoji."""
    return unicodedata.category(char).startswith("M") or _ZERO_WIDTH_JOINER in (char, previous)


def breakable(left: str, right: str) -> bool:
    """Whether a line may end between two characters that no blank parts.

    Scripts without blanks break anywhere but before closing marks, small kana and the long-vowel mark and after opening
    marks (the usual kinsoku rules, JIS X 4051), and not inside a number; other scripts do not break inside a word.
    """
    if right in _NO_LINE_START or left in _NO_LINE_END or (left.isdecimal() and right.isdecimal()):
        return False
    return solid(left) or solid(right)
