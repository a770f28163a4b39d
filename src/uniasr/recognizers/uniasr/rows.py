"""A growing sequence of rows of which only the recent part is kept."""

from __future__ import annotations

import numpy as np

from uniasr.types import F32, I64


class RowBuffer:
    """Rows `first` to `end - 1` of a sequence; the ones before were dropped, the ones after have not come yet."""

    def __init__(self, size: int, first: int = 0) -> None:
        self.first = first
        self._rows: F32 = np.zeros((0, size), np.float32)

    @property
    def end(self) -> int:
        """Rows that the sequence has so far."""
        return self.first + len(self._rows)

    def append(self, rows: F32) -> None:
        """Add rows [n, size] at the end."""
        self._rows = np.concatenate([self._rows, rows])

    def drop_before(self, row: int) -> None:
        """Forget rows before `row`."""
        count = min(max(row - self.first, 0), len(self._rows))
        if count:
            self._rows = self._rows[count:].copy()
            self.first += count

    def take(self, places: I64) -> F32:
        """Rows at `places`, any shape [...] -> [..., size]; zeros outside the sequence."""
        inside = (places >= self.first) & (places < self.end)
        rows = self._rows[np.where(inside, places - self.first, 0)] if len(self._rows) else self._none(places)
        rows[~inside] = 0.0
        return rows

    def _none(self, places: I64) -> F32:
        return np.zeros((*places.shape, self._rows.shape[1]), np.float32)
