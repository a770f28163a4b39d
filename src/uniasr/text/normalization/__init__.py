"""Numbers, dates and units: from the spoken to the written form (ITN) and back (TN).

Japanese, and Korean ITN, have rules of our own; other languages are converted by compiled grammars, which are extras.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Literal, overload

from uniasr.errors import OptionError
from uniasr.text.normalization.alignment import align_tokens
from uniasr.text.normalization.grammars import GRAMMARS, Direction, converter
from uniasr.text.normalization.records import Normalized, Piece, Span, normalized
from uniasr.text.normalization.whitelist import around, as_mapping, read_whitelist

__all__ = ["LANGUAGES", "Normalized", "Span", "align_tokens", "itn", "read_whitelist", "tn"]

Whitelist = Mapping[str, str] | Iterable[str]

_OWN: dict[tuple[Direction, str], str] = {
    ("itn", "ja"): "uniasr.text.normalization.japanese.itn:itn_pieces",
    ("itn", "ko"): "uniasr.text.normalization.korean.itn:itn_pieces",
    ("tn", "ja"): "uniasr.text.normalization.japanese.tn:tn_pieces",
}
"""Our own rules, imported when they are first used."""

LANGUAGES: dict[Direction, tuple[str, ...]] = {
    direction: tuple(sorted({*languages, *(language for known, language in _OWN if known == direction)}))
    for direction, languages in GRAMMARS.items()
}
"""What each direction converts."""


@overload
def itn(
    text: str, language: str = "ja", *, spans: Literal[False] = False, whitelist: Whitelist | None = None
) -> str: ...
@overload
def itn(text: str, language: str = "ja", *, spans: Literal[True], whitelist: Whitelist | None = None) -> Normalized: ...
def itn(
    text: str, language: str = "ja", *, spans: bool = False, whitelist: Whitelist | None = None
) -> str | Normalized:
    """Inverse text normalisation: what is written as it is spoken gets digits and symbols (三百円 -> 300円).

    Args:
        text: any text; what is no number, date, unit and so on stays as it is.
        language: one of `LANGUAGES["itn"]`, in any case and with or without a region (ja, JA, ja-JP). Those other than
            ja and ko need an extra.
        spans: also return from where in `text` every part of the result comes.
        whitelist: phrases that stay as they are, or a mapping from phrases to what they become. They win over rules.

    Returns the new text, or with `spans=True` a `Normalized` with `source`, `text` and `spans`. Each `Span` has the
    offsets `source_start`, `source_end` into the source and `start`, `end` into the text, and a `kind` (`date`,
    `money`, ..., `literal` where both are equal). The spans partition both texts in order.

    Raises OptionError for a language without ITN and for an unusable whitelist, MissingExtraError where the package of
    the language is not installed.
    """
    return _convert("itn", text, language, spans=spans, whitelist=whitelist)


@overload
def tn(
    text: str, language: str = "ja", *, spans: Literal[False] = False, whitelist: Whitelist | None = None
) -> str: ...
@overload
def tn(text: str, language: str = "ja", *, spans: Literal[True], whitelist: Whitelist | None = None) -> Normalized: ...
def tn(text: str, language: str = "ja", *, spans: bool = False, whitelist: Whitelist | None = None) -> str | Normalized:
    """Text normalisation: digits and symbols are written as they are spoken (300円 -> 三百円).

    Arguments, result and errors are those of `itn`, with the languages of `LANGUAGES["tn"]`.
    """
    return _convert("tn", text, language, spans=spans, whitelist=whitelist)


def language_code(language: str) -> str:
    """The code of a language without its region: ja for JA, ja-JP and ja_JP."""
    return re.split("[-_]", language.strip().lower())[0]


def _convert(
    direction: Direction, text: str, language: str, *, spans: bool, whitelist: Whitelist | None
) -> str | Normalized:
    if not isinstance(text, str):
        raise OptionError(f"text is {text!r:.60}; it must be a string")
    if not isinstance(language, str):
        raise OptionError(f"language is {language!r:.60}; give a code like 'ja'")
    convert = _converter(direction, language_code(language))
    result = normalized(text, around(text, as_mapping(whitelist), convert))
    return result if spans else result.text


def _converter(direction: Direction, language: str) -> Callable[[str], Iterable[Piece]]:
    if (direction, language) in _OWN:
        module, _, name = _OWN[direction, language].partition(":")
        own: Callable[[str], Iterable[Piece]] = getattr(import_module(module), name)
        return own
    if language not in GRAMMARS[direction]:
        raise OptionError(
            f"there is no {direction.upper()} for the language {language!r:.60}; choose one of "
            f"{', '.join(LANGUAGES[direction])}"
        )
    return converter(direction, language)
