"""Phrases whose conversion the user decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from uniasr.errors import OptionError
from uniasr.text.normalization.records import Piece

Converter = Callable[[str], Iterable[Piece]]


def read_whitelist(path: str | Path) -> dict[str, str]:
    """A whitelist from a UTF-8 file: a line `phrase<TAB>text`, or `phrase` alone where it stays as it is.

    Blank lines are skipped. Raises OptionError if the file cannot be read or a line has no phrase.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise OptionError(f"the whitelist {path} cannot be read as UTF-8 text: {error}") from error
    entries: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        phrase, tab, text = line.partition("\t")
        if not phrase:
            raise OptionError(f"{path}, line {number} has no phrase before the tab")
        entries[phrase] = text if tab else phrase
    return entries


def as_mapping(whitelist: Mapping[str, str] | Iterable[str] | None) -> dict[str, str]:
    """A whitelist as phrase -> text; phrases without a text stay as they are. Raises OptionError for other types."""
    if whitelist is None:
        return {}
    if isinstance(whitelist, str) or not isinstance(whitelist, Iterable):
        raise OptionError(f"whitelist is {whitelist!r:.60}; give a mapping or a list of phrases")
    entries = list(whitelist.items() if isinstance(whitelist, Mapping) else ((phrase, phrase) for phrase in whitelist))
    for phrase, text in entries:
        if not isinstance(phrase, str) or not isinstance(text, str) or not phrase:
            raise OptionError(
                f"whitelist entry {phrase!r:.60}: {text!r:.60} must be a phrase that is not empty, and a text"
            )
    return dict(entries)


def around(source: str, whitelist: Mapping[str, str], convert: Converter) -> list[Piece]:
    """Pieces of the whole source: whitelisted phrases (the longest at the leftmost place), and `convert` between."""
    pieces: list[Piece] = []
    at = 0
    for match in _pattern(whitelist).finditer(source) if whitelist else ():
        pieces += _shifted(convert(source[at : match.start()]), at)
        pieces.append(Piece(match.start(), match.end(), whitelist[match[0]], "whitelist"))
        at = match.end()
    return pieces + _shifted(convert(source[at:]), at)


def _pattern(whitelist: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(phrase) for phrase in sorted(whitelist, key=len, reverse=True)))


def _shifted(pieces: Iterable[Piece], offset: int) -> list[Piece]:
    return [Piece(piece.start + offset, piece.end + offset, piece.text, piece.kind) for piece in pieces]
