"""Timed tokens of a text, carried over to its normalised form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from uniasr.errors import OptionError
from uniasr.text.join import pieces
from uniasr.text.normalization.records import LITERAL, Normalized

if TYPE_CHECKING:
    from uniasr.types import Token

NO_ID = -1
"""Id of a token that stands for several of the vocabulary, or for a converted text."""


def align_tokens(tokens: Sequence[Token], result: Normalized, *, readings: bool = False) -> tuple[Token, ...]:
    """The tokens of the normalised text, in one list with the times of their sources.

    `tokens` spell `result.source`, as they stand or as `join_tokens` puts them together. Tokens in literal parts stay
    themselves (their text gains the blank before a word where one belongs). A converted part is one token: from the
    start of its first source to the end of its last, with the lowest confidence among them and the id -1; sources that
    it cuts belong to it whole. With `readings` it keeps their texts as its reading; else its reading is made of theirs,
    if there are any. Confidences are multiplied by the certainty of the span that they lie in. The texts of the list
    joined are `result.text`; sources of dropped parts leave no token.

    Raises OptionError if the tokens do not spell the source.
    """
    texts = _spelling(tokens, result.source)
    ends = [0, *accumulate(map(len, texts))]
    certain = [span.certainty for span in result.spans for _ in range(span.source_start, span.source_end)]
    places = _places(result, ends[1:])
    aligned: list[Token] = []
    first = at = 0
    for last, place in enumerate(places, start=1):
        if place is None or ends[last] == ends[first]:
            continue
        text = result.text[at:place]
        same = result.source[ends[first] : ends[last]] == text
        group = _group(tokens[first:last], texts[first:last], text, same=same, readings=readings)
        aligned += _multiplied(group, min(certain[ends[first] : ends[last]]))
        first, at = last, place
    return tuple(aligned)


def _spelling(tokens: Sequence[Token], source: str) -> list[str]:
    """What each token adds to the source."""
    plain = [token.text for token in tokens]
    if "".join(plain) == source:
        return plain
    joined = pieces(plain)
    text = "".join(joined)
    if text.strip() == source:
        return _stripped(joined)
    raise OptionError(
        f"the tokens spell {text.strip()[:40]!r}, not the source {source[:40]!r}; give those of this text"
    )


def _stripped(texts: list[str]) -> list[str]:
    """The texts without the blanks around their whole."""
    for order in (range(len(texts)), range(len(texts) - 1, -1, -1)):
        for index in order:
            forward = order.step > 0
            texts[index] = texts[index].lstrip() if forward else texts[index].rstrip()
            if texts[index]:
                break
    return texts


def _places(result: Normalized, ends: Sequence[int]) -> list[int | None]:
    """Where places in the source (ascending) lie in the text; None inside of a converted span.

    What was put in at a place belongs to what stands before it, at the start to what stands behind it.
    """
    places: list[int | None] = []
    index = 0
    for end in ends:
        while index < len(result.spans) and result.spans[index].source_end <= end:
            index += 1
        span = result.spans[index] if index < len(result.spans) else None
        if span is None or span.source_start == end:
            places.append(result.spans[index - 1].end if index else 0)
        else:
            places.append(span.start + end - span.source_start if span.kind == LITERAL else None)
    return places


def _group(tokens: Sequence[Token], texts: Sequence[str], text: str, *, same: bool, readings: bool) -> list[Token]:
    """The aligned tokens of one stretch."""
    if same and len([one for one in texts if one]) == 1:
        index = next(i for i, one in enumerate(texts) if one)
        return [replace(tokens[index], text=texts[index])]
    if not text:
        return []
    end, confidence = max(token.end_ms for token in tokens), min(token.confidence for token in tokens)
    reading = None
    if readings or any(token.reading for token in tokens):
        reading = "".join(token.reading or one for token, one in zip(tokens, texts, strict=True))
    return [replace(tokens[0], text=text, id=NO_ID, end_ms=end, confidence=confidence, reading=reading)]


def _multiplied(tokens: list[Token], certainty: float) -> list[Token]:
    """The tokens with their confidences multiplied."""
    if certainty == 1.0:
        return tokens
    return [replace(token, confidence=token.confidence * certainty) for token in tokens]
