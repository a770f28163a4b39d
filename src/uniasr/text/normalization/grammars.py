"""Languages that compiled grammars of other projects convert: wetext (WeTextProcessing) and itntext (FunASR).

Both run weighted transducers with kaldifst. They return text only; their spans are the words that differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal

from uniasr.errors import MissingExtraError
from uniasr.text.normalization.differences import differences
from uniasr.text.normalization.records import Piece

Direction = Literal["itn", "tn"]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Who converts a language."""

    package: str
    extra: str


_WETEXT, _ITNTEXT = Grammar("wetext", "itn"), Grammar("itntext", "itn-more")
GRAMMARS: dict[Direction, dict[str, Grammar]] = {
    "itn": {"en": _WETEXT, "zh": _WETEXT, **dict.fromkeys(("de", "es", "fr", "id", "pt", "ru", "tl", "vi"), _ITNTEXT)},
    "tn": {"zh": _WETEXT, **dict.fromkeys(("de", "en", "es"), _ITNTEXT)},
}

_OUTSIDE = re.compile(r'[\x00-\x1f\x7f"\\]+')
"""Characters that end a sentence for the grammars, which cannot read or would escape them."""


def converter(direction: Direction, language: str) -> Callable[[str], list[Piece]]:
    """The conversion of one text to pieces. Raises MissingExtraError if the grammar's package is not installed."""
    normalize = normalizer(direction, language)

    def convert(source: str) -> list[Piece]:
        pieces: list[Piece] = []
        at = 0
        for match in [*_OUTSIDE.finditer(source), None]:
            end = len(source) if match is None else match.start()
            pieces += _sentence(source, at, end, normalize)
            at = end if match is None else match.end()
        return pieces

    return convert


@cache
def normalizer(direction: Direction, language: str) -> Callable[[str], str]:
    """The conversion of one sentence by the package of a language; loaded once."""
    grammar = GRAMMARS[direction][language]
    try:
        package = import_module(grammar.package)
    except ImportError as error:
        raise MissingExtraError(
            f"{direction.upper()} for {language!r} needs the package {grammar.package}: "
            f"pip install 'uniasr[{grammar.extra}]'"
        ) from error
    normalize: Callable[[str], str] = package.Normalizer(lang=language, operator=direction).normalize
    return normalize


def _sentence(source: str, start: int, end: int, normalize: Callable[[str], str]) -> list[Piece]:
    """Pieces of `source[start:end]`; blanks around it stay, and so does a sentence that the grammar cannot read."""
    inner = source[start:end].strip()
    if not inner:
        return []
    start = source.index(inner, start)
    try:
        text = normalize(inner)
    except (AssertionError, RuntimeError, ValueError, IndexError):  # how the two packages say that no path exists
        return []
    return differences(inner, text, start)
