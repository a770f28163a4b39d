"""Punctuation while text comes: each piece is labelled with the words since the last full stop before it.

A step is a pure function of a carry, which holds at most a few hundred words.
Source: funasr 1.4.16 funasr/models/ct_transformer_streaming/model.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uniasr.configs.ct_transformer import FULL_STOPS, CtTransformerConfig
from uniasr.recognizers.punctuation.network import Labelled
from uniasr.recognizers.punctuation.render import blanks, marks_of
from uniasr.recognizers.punctuation.windows import remembered


@dataclass(frozen=True, slots=True)
class StreamCarry:
    """What a stream remembers: words since the last full stop, and a mark that has not been given out yet."""

    words: tuple[str, ...] = ()
    """With the blank before a Latin word behind another one, like the published cache `pre_text`."""
    pending: str = ""
    """Found after the last word; the next piece or the end of the text decides."""

    def followed_by(self, words: Sequence[str]) -> list[str]:
        """All words that the network sees with the new ones, without blanks."""
        return [*(word.strip() for word in self.words), *words]


@dataclass(frozen=True, slots=True)
class Marked:
    """What one piece of text has become.

    `before` is a mark that belongs behind the piece before this one, found only now; `marks` has one entry per new
    word, the last of which is always empty: it is decided when more text comes.
    """

    before: str
    words: tuple[str, ...]
    blanks: tuple[str, ...]
    marks: tuple[str, ...]

    @property
    def text(self) -> str:
        """The piece as the published system writes it."""
        parts = zip(self.blanks, self.words, self.marks, strict=True)
        return self.before + "".join(blank + word + mark for blank, word, mark in parts)


EMPTY = Marked("", (), (), ())


def advance(
    carry: StreamCarry, words: Sequence[str], labelled: Labelled, config: CtTransformerConfig
) -> tuple[StreamCarry, Marked]:
    """The next carry, and the new words with their marks.

    Args:
        carry: what stands before them.
        words: the new words, at least one.
        labelled: labels of the carry's words and the new ones together.
        config: the marks.
    """
    old = len(carry.words)
    both = carry.followed_by(words)
    marks = marks_of(labelled.labels, config)
    spaces = blanks(both)
    piece = Marked(
        before=marks[old - 1] if old else "",
        words=tuple(words),
        blanks=tuple(spaces[old:]),
        marks=(*marks[old:-1], ""),
    )
    first = remembered(labelled.labels, config)
    kept = tuple(space + word for space, word in zip(spaces[first:], both[first:], strict=True))
    return StreamCarry(kept, marks[-1]), piece


def closing_mark(carry: StreamCarry, config: CtTransformerConfig) -> str:
    """The full stop that ends what a stream has said; the empty string if it has said nothing."""
    if not carry.words:
        return ""
    return carry.pending if carry.pending in FULL_STOPS else config.marks[config.sentence_end]
