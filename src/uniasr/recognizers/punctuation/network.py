"""Labels for many texts at once: windows of equal padded width share a call of the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.engines.base import Arrays, Engine
from uniasr.features.positions import position_codes
from uniasr.recognizers.punctuation.second_look import Told, commas_told, told
from uniasr.recognizers.punctuation.windows import Closed, Window, close_window, first_window, next_window
from uniasr.types import F32, I64

GRAPHS = ("punctuation",)
WIDTH = 32
"""Windows are padded to a multiple of this, so a window's numbers depend on its own length only."""
CALL = 64
"""Windows in one call, at most."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The best label of each word, and the words at which windows began."""

    labels: tuple[int, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Word ids [N], how many of them a stream has seen in earlier calls, and whether the text ends with them."""

    ids: I64
    cached: int = 0
    ended: bool = True


@dataclass(slots=True)
class Progress:
    """One text on its way: the window to run next (None when all is done), labels so far."""

    text: Text
    window: Window | None
    labels: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])

    def take(self, window: Window, closed: Closed, split_size: int) -> None:
        """Note what a window has settled and go on to the next one."""
        self.labels += closed.labels
        self.window = None if window.last else next_window(window, len(closed.labels), split_size)
        if closed.at_mark and self.window is not None:
            self.starts.append(self.window.start)


@dataclass(frozen=True, slots=True)
class Labeller:
    """The labels of words: a network, run by `engine`, and the ids of the words that tell ends in a second look."""

    engine: Engine
    config: CtTransformerConfig
    ends: Mapping[int, int]
    """By label; empty for a network that looks once."""

    def texts(self, texts: Sequence[Text], split_size: int) -> list[Labelled]:
        """The labels of several texts, whose windows grow by `split_size` words; each gets what it would get alone."""
        progress = [
            Progress(text, first_window(len(text.ids), split_size) if len(text.ids) else None) for text in texts
        ]
        while waiting := [one for one in progress if one.window is not None]:
            windows = [one.window for one in waiting if one.window is not None]
            rows = [one.text.ids[window.start : window.end] for one, window in zip(waiting, windows, strict=True)]
            found = self.windows(windows, rows, [one.text for one in waiting], split_size)
            for one, window, closed in zip(waiting, windows, found, strict=True):
                one.take(window, closed, split_size)
        return [Labelled(tuple(one.labels), tuple(one.starts)) for one in progress]

    def windows(
        self, windows: Sequence[Window], rows: Sequence[I64], texts: Sequence[Text], split_size: int
    ) -> list[Closed]:
        """What windows settle, which hold the word ids `rows` and belong to `texts`."""
        scores = self._scores(rows, [text.cached for text in texts])
        found = [
            close_window(window, own.argmax(axis=1).tolist(), self.config, split_size)
            for window, own in zip(windows, scores, strict=True)
        ]
        if not self.ends:
            return found
        ended = [window.last and text.ended for window, text in zip(windows, texts, strict=True)]
        looks = [
            told(row, closed.labels, end, self.ends, self.config)
            for row, closed, end in zip(rows, found, ended, strict=True)
        ]
        return self._look_again(found, looks)

    def _look_again(self, found: Sequence[Closed], looks: Sequence[Told]) -> list[Closed]:
        again = [i for i, look in enumerate(looks) if len(look.ids)]
        result = list(found)
        for i, scores in zip(again, self._scores([looks[i].ids for i in again], [0] * len(again)), strict=True):
            result[i] = replace(found[i], labels=commas_told(found[i].labels, looks[i], scores, self.config))
        return result

    def _scores(self, rows: Sequence[I64], cached: Sequence[int]) -> list[F32]:
        """Scores of the marks [K, marks] for the words of each window: windows of one padded width go together."""
        groups: dict[int, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            groups[padded(len(row))].append(place)
        result = [np.zeros((0, 0), np.float32)] * len(rows)
        for width, group in sorted(groups.items()):
            for first in range(0, len(group), CALL):
                chosen = group[first : first + CALL]
                owned = [cached[i] for i in chosen]
                found = run_windows(self.engine, self.config, [rows[i] for i in chosen], owned, width)
                for i, scores in zip(chosen, found, strict=True):
                    result[i] = scores[: len(rows[i])]
        return result


def run_windows(
    engine: Engine, config: CtTransformerConfig, rows: Sequence[I64], cached: Sequence[int], width: int
) -> F32:
    """Scores of the marks [W, width, marks] for windows of word ids, of which rows behind a window mean nothing."""
    ids = np.zeros((len(rows), width), np.int64)
    valid = np.zeros((len(rows), width), np.float32)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        valid[place, : len(row)] = 1.0
    inputs: Arrays = {
        "ids": ids,
        "positions": position_codes(0, width, config.embed_size).astype(np.float32),
        "valid": valid,
        "cached": np.array(cached, np.int64),
    }
    return engine.run(GRAPHS[0], inputs, ["logits"])["logits"]


def padded(count: int) -> int:
    """The width that a window of so many words is padded to."""
    return -(-count // WIDTH) * WIDTH
