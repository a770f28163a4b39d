"""What a conversion returns: the new text, and from where in the source each part of it comes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LITERAL = "literal"


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` of the output was made from `source[source_start:source_end]`."""

    source_start: int
    source_end: int
    start: int
    end: int
    kind: str
    """Class of what was converted (`date`, `money`, ...); `literal` where both sides are equal."""
    certainty: float = 1.0
    """How probably this is how the source is written, where the conversion is a choice among others."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A converted text with its spans.

    The spans partition both texts: in order, without gaps or overlaps, over the whole source and the whole text. A
    span may be empty on one side (something was left out or put in), never on both.
    """

    source: str
    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """`source[start:end]` becomes `text`."""

    start: int
    end: int
    text: str
    kind: str


def normalized(source: str, pieces: Iterable[Piece]) -> Normalized:
    """The result of replacing `pieces` (in order, not overlapping) in the source; the rest stays.

    A piece that changes nothing counts as literal; literal neighbours are one span.
    """
    spans: list[Span] = []
    texts: list[str] = []
    at = length = 0

    def add(start: int, end: int, text: str, kind: str) -> None:
        nonlocal length
        if source[start:end] == text:
            kind = LITERAL
        if not text and start == end:
            return
        texts.append(text)
        if kind == LITERAL and spans and spans[-1].kind == LITERAL:
            before = spans.pop()
            spans.append(Span(before.source_start, end, before.start, length + len(text), LITERAL))
        else:
            spans.append(Span(start, end, length, length + len(text), kind))
        length += len(text)

    for piece in pieces:
        add(at, piece.start, source[at : piece.start], LITERAL)
        add(piece.start, piece.end, piece.text, piece.kind)
        at = piece.end
    add(at, len(source), source[at:], LITERAL)
    return Normalized(source, "".join(texts), tuple(spans))
