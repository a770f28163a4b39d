"""Labels for many texts at once: windows of equal padded width share a call of the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.engines.base import Arrays, Engine
from uniasr.features.positions import position_codes
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


@dataclass(slots=True)
class Progress:
    """One text on its way: word ids [N], the window to run next (None when all is done), labels so far."""

    ids: I64
    cached: int
    window: Window | None
    labels: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])

    def take(self, window: Window, closed: Closed, split_size: int) -> None:
        """Note what a window has settled and go on to the next one."""
        self.labels += closed.labels
        self.window = None if window.last else next_window(window, len(closed.labels), split_size)
        if closed.at_mark and self.window is not None:
            self.starts.append(self.window.start)


def label_texts(
    engine: Engine, config: CtTransformerConfig, texts: Sequence[tuple[I64, int]], split_size: int
) -> list[Labelled]:
    """The labels of several texts; each gets what it would get alone.

    Args:
        engine: runs the graph `punctuation`.
        config: of its network.
        texts: word ids [N], and how many of them a stream has seen in earlier calls.
        split_size: words by which windows grow.
    """
    progress = [
        Progress(ids, cached, first_window(len(ids), split_size) if len(ids) else None) for ids, cached in texts
    ]
    while waiting := [one for one in progress if one.window is not None]:
        groups: dict[int, list[Progress]] = defaultdict(list)
        for one in waiting:
            assert one.window is not None
            groups[padded(one.window.end - one.window.start)].append(one)
        for _, group in sorted(groups.items()):
            for first in range(0, len(group), CALL):
                _advance(engine, config, group[first : first + CALL], split_size)
    return [Labelled(tuple(one.labels), tuple(one.starts)) for one in progress]


def padded(count: int) -> int:
    """The width that a window of so many words is padded to."""
    return -(-count // WIDTH) * WIDTH


def _advance(engine: Engine, config: CtTransformerConfig, group: Sequence[Progress], split_size: int) -> None:
    windows = [one.window for one in group if one.window is not None]
    rows = [one.ids[window.start : window.end] for one, window in zip(group, windows, strict=True)]
    found = label_windows(engine, config, rows, [one.cached for one in group])
    for one, window, labels in zip(group, windows, found, strict=True):
        one.take(window, close_window(window, labels, config, split_size), split_size)


def label_windows(
    engine: Engine, config: CtTransformerConfig, rows: Sequence[I64], cached: Sequence[int]
) -> list[list[int]]:
    """The best label of each word of windows of word ids whose padded widths are equal."""
    logits = run_windows(engine, config, rows, cached, padded(len(rows[0])))
    return [scores[: len(row)].argmax(axis=1).tolist() for row, scores in zip(rows, logits, strict=True)]


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
