"""What evaluate.py and compare.py have written, for tables and plots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODES = ("fast", "normal", "offline")
SETS = {
    "synthetic-kokoro": "synthetic sentences, neural voices heard in training",
    "synthetic-hts": "synthetic sentences, HTS voices in settings not heard",
    "real-words": "real single words, both speakers heard, words not",
    "unseen-voice": "synthetic sentences, a neural voice not heard",
    "unseen-timbres": "synthetic sentences, eight neural timbres not heard",
    "real-sentences": "real read sentences, four speakers not heard; too few to measure",
}
"""Names of the sets, and what they are."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Rate:
    """An error rate with its 95 % interval, in percent."""

    value: float
    low: float
    high: float

    @property
    def around(self) -> tuple[list[float], list[float]]:
        """Lengths of the error bar, below and above."""
        return [max(0.0, self.value - self.low)], [max(0.0, self.high - self.value)]

    def __str__(self) -> str:
        return f"{self.value:.1f} ({self.low:.1f} to {self.high:.1f})"


def read(path: Path) -> dict[str, Any]:
    """A file of results."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def rate(row: Row, name: str) -> Rate:
    """The rate of a row by its name: kana, written or numbers."""
    low, high = row[name]["interval"]
    return Rate(100 * row[name]["rate"], 100 * low, 100 * high)


def find(rows: list[Row], **wanted: Any) -> Row | None:
    """The first row with these entries."""
    return next((row for row in rows if all(row.get(key) == value for key, value in wanted.items())), None)


def by_mode(results: dict[str, Any], mode: str, **wanted: Any) -> Row | None:
    """The row of a mode at its own latency; without noise, with the judgement unless it says otherwise."""
    latency = results["model"]["modes"][mode]["latency"]
    return find(results["results"], **{"mode": mode, "latency": latency, "converter": True, "noise": None} | wanted)


def by_pass(results: dict[str, Any], number: int, latency: int, name: str) -> Row | None:
    """The row of a pass at a latency: that of the mode whose text it writes and which hears nothing again."""
    mode = "fast" if number == 1 else "offline"
    return find(results["results"], set=name, mode=mode, latency=latency, converter=True, noise=None)
