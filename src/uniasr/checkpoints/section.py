"""One section of a published configuration, read so that no entry goes unnoticed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from uniasr.errors import ModelError

Value = TypeVar("Value", bool, int, float, str)


class Section:
    """A mapping from a file whose entries are taken one by one; what is left over at the end is an error.

    `where` is the file and section as a message names them.
    """

    def __init__(self, entries: Any, where: str) -> None:
        if entries is None:
            entries = {}
        if not isinstance(entries, Mapping):
            raise ModelError(f"{where} is {entries!r:.60}; a mapping is needed")
        self.where = where
        self._left = {str(key): value for key, value in entries.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, kind: type[Value], default: Value | None = None) -> Value:
        """The entry as a bool, int, finite float or str.

        The default stands for a missing or null entry; without a default such an entry is an error.
        """
        value = self._left.pop(name, None)
        if value is not None:
            return self._checked(name, value, kind)
        if default is None:
            raise ModelError(f"{self.where} lacks {name}; the published model needs it")
        return default

    def take_count(self, name: str, default: int | None = None) -> int:
        """The entry as a whole number of at least 1."""
        value = self.take(name, int, default)
        if value < 1:
            raise ModelError(f"{self.where}: {name} is {value}; it must be at least 1")
        return value

    def take_ints(self, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """The entry as whole numbers, of which a single one may stand without a list."""
        value = self._left.pop(name, None)
        if value is None:
            if default is None:
                raise ModelError(f"{self.where} lacks {name}; the published model needs it")
            return default
        values = value if isinstance(value, list | tuple) else [value]
        if not values:
            raise ModelError(f"{self.where}: {name} is empty; at least one whole number is needed")
        return tuple(self._checked(name, item, int) for item in values)

    def take_flag(self, name: str) -> bool:
        """The entry as a bool, for which 0 and 1 may stand."""
        value = self._left.pop(name, None)
        if not isinstance(value, bool | int) or value not in (0, 1):
            raise ModelError(f"{self.where}: {name} is {value!r:.60}; it must be true, false, 1 or 0")
        return bool(value)

    def take_mapping(self, name: str) -> Any:
        """The entry as it is, for a section of its own."""
        return self._left.pop(name, None)

    def require(self, name: str, supported: Iterable[Any], *, default: Any = None) -> None:
        """Refuse every value that is not among the supported ones; `default` is what a missing entry means."""
        value = self._left.pop(name, default)
        supported = tuple(supported)
        # True == 1 in Python; a yaml `true` where a number belongs is a mistake all the same.
        if not any(value == good and isinstance(value, bool) == isinstance(good, bool) for good in supported):
            raise ModelError(
                f"{self.where}: {name} is {value!r:.60}; "
                f"only {' or '.join(repr(good) for good in supported)} is supported"
            )

    def ignore(self, *names: str) -> None:
        """Pass over entries that change no result here."""
        for name in names:
            self._left.pop(name, None)

    def finish(self) -> None:
        """Raise ModelError when an entry was neither taken, required nor ignored."""
        if self._left:
            raise ModelError(
                f"{self.where} has entries of unknown meaning: {', '.join(sorted(self._left))}; "
                "they might change the results, so the model is not loaded"
            )

    def _checked(self, name: str, value: Any, kind: type[Value]) -> Value:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError as error:
                raise ModelError(f"{self.where}: {name} is {value!r:.20}..., which is too large a number") from error
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ModelError(f"{self.where}: {name} is {value!r:.60}; it must be of type {kind.__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ModelError(f"{self.where}: {name} is {value}; it must be finite")
        return value
