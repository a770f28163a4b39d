"""From a recogniser's tokens to the words of a punctuation model and back: marks without loss of alignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from uniasr.recognizers.punctuation.own_marks import apart, brings_mark
from uniasr.text.join import pieces
from uniasr.text.words import Splitter, word_spans
from uniasr.types import Token


@dataclass(frozen=True, slots=True)
class TokenWords:
    """The words that tokens spell, and for each the token that takes its mark.

    None where a word ends inside a token, or brings its mark.
    """

    words: tuple[str, ...]
    holders: tuple[int | None, ...]


def words_of(tokens: Sequence[Token], split: Splitter) -> TokenWords:
    """Words of a token list. A token may hold several words (a mora of two kana) or a part of one (a word piece)."""
    parts = pieces([token.text for token in tokens])
    holder_of_end, length = {}, 0
    for place, part in enumerate(parts):
        if body := part.rstrip():
            holder_of_end[length + len(body)] = place
        length += len(part)
    text = "".join(parts)
    everything = split(text)
    ends = [end for _, end in word_spans(text, everything)]
    found = apart(everything)
    holders = (
        None if brings_mark(word, own) else holder_of_end.get(ends[place])
        for word, own, place in zip(found.words, found.own, found.places, strict=True)
    )
    return TokenWords(found.words, tuple(holders))


def attach(tokens: Sequence[Token], words: TokenWords, marks: Sequence[str]) -> list[Token]:
    """The same tokens, one for one, with each mark at the end of the text of the token that its word ends with.

    Ids, times and confidences stay. A mark that would fall inside a token or beside one that is there is left out.
    """
    result = list(tokens)
    for holder, mark in zip(words.holders, marks, strict=True):
        if holder is not None and mark:
            result[holder] = replace(result[holder], text=result[holder].text + mark)
    return result
