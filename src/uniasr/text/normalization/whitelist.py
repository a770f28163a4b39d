"""Phrases whose conversion the user decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from uniasr.errors import OptionError
from uniasr.text.normalization.records import Piece

_POINTS = frozenset("点.．・")
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
    """Pieces of the whole source: whitelisted phrases (the longest at the leftmost place), and `convert` between.

    A phrase that begins or ends inside a number is none there: 十円 in 三百二十円 would leave 302.
    """
    pieces: list[Piece] = []
    at = 0
    for match in _found(source, whitelist):
        pieces += _shifted(convert(source[at : match.start()]), at)
        pieces.append(Piece(match.start(), match.end(), whitelist[match[0]], "whitelist"))
        at = match.end()
    return pieces + _shifted(convert(source[at:]), at)


def _found(source: str, whitelist: Mapping[str, str]) -> Iterator[re.Match[str]]:
    """Where phrases are."""
    if not whitelist:
        return
    pattern = re.compile("|".join(re.escape(phrase) for phrase in sorted(whitelist, key=len, reverse=True)))
    at = 0
    while match := pattern.search(source, at):
        inside = _inside_number(source, match.start()) or _inside_number(source, match.end())
        at = match.start() + 1 if inside else match.end()
        if not inside:
            yield match


def _inside_number(source: str, at: int) -> bool:
    """Whether the place lies between two digits or numerals, of which a decimal point may stand beside it."""
    before, after = source[max(0, at - 2) : at], source[at : at + 2]
    if before[-1:] in _POINTS:
        before = before[:-1]
    elif after[:1] in _POINTS:
        after = after[1:]
    return before[-1:].isnumeric() and after[:1].isnumeric()


def _shifted(pieces: Iterable[Piece], offset: int) -> list[Piece]:
    return [Piece(piece.start + offset, piece.end + offset, piece.text, piece.kind) for piece in pieces]
