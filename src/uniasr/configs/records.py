"""Strict conversion between frozen dataclasses and the plain dicts of yaml and json files."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from uniasr.errors import ModelError

Record = TypeVar("Record")


def to_plain(record: Any) -> Any:
    """A dataclass as dicts, lists, strings and numbers only."""
    if dataclasses.is_dataclass(record):
        return {field.name: to_plain(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {key: to_plain(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_plain(value) for value in record]
    return record


def from_plain(kind: type[Record], plain: Any, where: str) -> Record:
    """Build a dataclass from plain values; raises ModelError naming the first unknown, missing or mistyped entry.

    `where` names the file and entry for the message.
    """
    if not isinstance(plain, Mapping):
        raise ModelError(f"{where} is {plain!r:.80}; a mapping is needed")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    if unknown := sorted(str(name) for name in plain if name not in fields):
        raise ModelError(f"{where} has unknown entries {', '.join(unknown)}; known are {', '.join(fields)}")
    values = {}
    for name, field in fields.items():
        if name in plain:
            values[name] = _convert(hints[name], plain[name], f"{where}: {name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ModelError(f"{where} lacks the entry {name}")
    try:
        return kind(**values)
    except (ValueError, ArithmeticError) as error:  # the latter of numbers beyond any network's
        raise ModelError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        (hint,) = (argument for argument in arguments if argument is not type(None))
        return _convert(hint, value, where)
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), value, where)
    if origin is tuple:
        return _convert_tuple(arguments, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ModelError(f"{where} is {value!r:.80}; a mapping is needed")
        return {str(key): _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise ModelError(f"{where} is {value!r:.20}..., which is too large a number") from error
    if isinstance(hint, type) and (not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool)):
        raise ModelError(f"{where} is {value!r:.80}; it must be of type {hint.__name__}")
    return value


def _convert_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ModelError(f"{where} is {value!r:.80}; a list is needed")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(arguments):
        raise ModelError(f"{where} has {len(value)} values; {len(arguments)} are needed")
    return tuple(_convert(hint, item, where) for hint, item in zip(arguments, value, strict=True))
