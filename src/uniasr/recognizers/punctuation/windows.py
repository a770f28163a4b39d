"""Which words the network sees at once, and which labels count: pure functions over one text's words.

A window grows by `split_size` words until it holds a full stop that is not at its edge; what stands up to there is
done, and the next window begins behind it. So a word is seen with its sentence, and a text of any length costs a
constant amount per word: a window never has more than LONGEST + split_size words.
Source: funasr 1.4.16 funasr/models/ct_transformer/model.py; there a sentence without any mark grows without bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uniasr.configs.ct_transformer import FULL_STOPS, CtTransformerConfig

LONGEST = 200
"""A longer window is closed at a comma, or anywhere if it has none."""
EDGE = 2
"""Words at the start of a window behind which it is not closed; the last word is no end either."""


@dataclass(frozen=True, slots=True)
class Window:
    """Words start..end-1 of a text of `total` words."""

    start: int
    end: int
    total: int

    @property
    def last(self) -> bool:
        """Whether the text ends with this window."""
        return self.end >= self.total


@dataclass(frozen=True, slots=True)
class Closed:
    """The labels of the words that a window has settled, which are its first ones."""

    labels: list[int]
    at_mark: bool
    """Whether they end in a full stop, or with the text."""


def first_window(total: int, split_size: int) -> Window:
    """The window that a text of `total` words begins with."""
    return Window(0, min(split_size, total), total)


def next_window(window: Window, settled: int, split_size: int) -> Window:
    """The window after one whose first `settled` words are done."""
    return Window(window.start + settled, min(window.end + split_size, window.total), window.total)


def close_window(window: Window, labels: list[int], config: CtTransformerConfig, split_size: int) -> Closed:
    """What a window settles.

    Args:
        window: whose labels these are.
        labels: [end - start], the best label of each word.
        config: the marks, and how far behind a full stop the window must reach.
        split_size: words that stay when a window is closed by its length alone.
    """
    if window.last:
        return Closed(labels, at_mark=True)
    if (stop := last_stop(labels, config, config.look_ahead)) is not None:
        return Closed(labels[: stop + 1], at_mark=True)
    if len(labels) <= LONGEST:
        return Closed(labels[:0], at_mark=False)
    comma = _last_comma(labels, config)
    if comma is None:
        return Closed(labels[: len(labels) - split_size], at_mark=False)
    return Closed([*labels[:comma], config.sentence_end], at_mark=True)


def last_stop(labels: Sequence[int], config: CtTransformerConfig, look_ahead: int = 0) -> int | None:
    """Place of the last full stop that is not at the edge, with `look_ahead` further words behind it."""
    return _last_of(labels, [i for i, mark in enumerate(config.marks) if mark in FULL_STOPS], look_ahead)


def remembered(labels: Sequence[int], config: CtTransformerConfig) -> int:
    """Where the words begin that a stream keeps: behind the last full stop; all words if there is none.

    Beyond LONGEST words it is behind the last comma, or else at the last `split_size` words, so that a stream never
    keeps more.
    """
    stop = last_stop(labels, config)
    first = 0 if stop is None else stop + 1
    if len(labels) - first <= LONGEST:
        return first
    comma = _last_comma(labels, config)
    if comma is not None and len(labels) - comma - 1 <= LONGEST:
        return comma + 1
    return len(labels) - config.split_size


def _last_comma(labels: Sequence[int], config: CtTransformerConfig) -> int | None:
    return _last_of(labels, [i for i, mark in enumerate(config.marks) if mark == config.comma], 0)


def _last_of(labels: Sequence[int], wanted: list[int], look_ahead: int) -> int | None:
    for place in range(len(labels) - 2 - look_ahead, EDGE - 1, -1):
        if labels[place] in wanted:
            return place
    return None
