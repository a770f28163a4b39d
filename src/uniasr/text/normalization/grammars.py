"""Languages that compiled grammars of other projects convert: wetext (WeTextProcessing) and itntext (FunASR).

Both run weighted transducers with kaldifst. They return text only; spans are found by comparing it with the source word
by word (in scripts without blanks: character by character).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import import_module
from typing import Literal

from uniasr.errors import MissingExtraError
from uniasr.text.join import solid
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
_WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


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
    return [Piece(start + first, start + last, new, "converted") for first, last, new in _differences(inner, text)]


def _differences(source: str, text: str) -> Iterator[tuple[int, int, str]]:
    before, after = _words(source), _words(text)
    starts = [0]
    for word in before:
        starts.append(starts[-1] + len(word))
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            yield starts[i1], starts[i2], "".join(after[j1:j2])


def _words(text: str) -> list[str]:
    words: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        words += list(word) if solid(word[0]) else [word]
    return words
