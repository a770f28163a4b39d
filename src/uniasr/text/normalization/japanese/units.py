"""The table of units and counters (`units.txt`), and the longest one at a place in a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from uniasr.text.normalization.tables import lines_of


@dataclass(frozen=True, slots=True)
class Unit:
    """What may stand after a number."""

    spoken: str
    written: str
    kind: str
    one: str
    """What 一 before it does: `always` a number, `tail`, `never`; `long`: single numerals never convert."""


class UnitTable:
    """Units by their spoken form."""

    def __init__(self, units: dict[str, Unit]) -> None:
        self._units = units
        self._lengths = sorted({len(name) for name in units}, reverse=True)

    def longest(self, text: str, at: int) -> Unit | None:
        """The longest unit that `text` continues with at index `at`."""
        for length in self._lengths:
            unit = self._units.get(text[at : at + length])
            if unit is not None:
                return unit
        return None


@cache
def unit_table() -> UnitTable:
    """The packaged table; a unit that stands twice has the meaning of its first line."""
    units: dict[str, Unit] = {}
    for line in lines_of(__package__, "units.txt"):
        kind, one, *entries = line.split()
        for entry in entries:
            spoken, _, symbol = entry.partition("=")
            units.setdefault(spoken, Unit(spoken, symbol or spoken, kind, one))
    return UnitTable(units)
