"""Reading the yaml and json files of a model directory: bounded in size and depth, one clear error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import yaml

from uniasr.bounded import read_bounded
from uniasr.errors import ModelError, first_line

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 40
MAX_VALUES = 1_000_000
_MERGE = "tag:yaml.org,2002:merge"
_MOST_COLONS = 8
"""In a plain scalar that may be a number: yaml 1.1 reads 1:30:00 to the base 60, in time that grows with the square."""
_NUMBER_STARTS = tuple("+-0123456789")

# libyaml is twenty times faster on a token list of thousands; both loaders build plain values only.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a yaml file; raises ModelError naming the file.

    Aliases may not make it stand for more than MAX_VALUES values, and merge keys (`<<`) are refused: both can make a
    small file expand without end.
    """
    return _read(path, "yaml", _parse_yaml)


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in a json file; raises ModelError naming the file."""
    return _read(path, "json", json.loads)


def inside(directory: Path, name: Any, where: str) -> Path:
    """The path of a file that a document names; raises ModelError when the name would lead out of the directory.

    Only the name is judged, not what a link points to: hub caches are made of links.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise ModelError(f"{where} is {name!r:.80}; it must be the name of a file in {directory}")
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.is_absolute() or path.drive or path.root or ".." in path.parts:
            raise ModelError(
                f"{where} is {name!r:.80}, which lies outside {directory}; it must name a file in that directory"
            )
    return directory / name


def _read(path: Path, kind: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    try:
        content = parse(read_bounded(path, MAX_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); it should be a {kind} file") from error
    except ModelError:
        raise
    except Exception as error:  # damaged input makes the parsers raise nearly anything
        raise ModelError(f"{path} is no valid {kind}: {first_line(error):.300} ({type(error).__name__})") from error
    if not isinstance(content, Mapping):
        raise ModelError(f"{path} holds {_shown(content)}; it should hold a mapping of names to values")
    return {str(key): value for key, value in content.items()}


def _parse_yaml(text: str) -> Any:
    depth, aliases = 0, False
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.ScalarEvent):
            if event.value == "<<" or event.tag == _MERGE:
                raise ValueError("it uses a merge key <<; write the values out")
            if event.implicit[0] and event.value.count(":") > _MOST_COLONS and event.value[:1] in _NUMBER_STARTS:
                raise ValueError(f"it holds a number to the base 60 of more than {_MOST_COLONS} digits")
        aliases = aliases or isinstance(event, yaml.AliasEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    content = yaml.load(text, Loader=_Loader)
    if aliases:
        _check_expansion(content)
    return content


def _check_expansion(content: Any) -> None:
    """Walk a document with aliases as if they were written out; raises ValueError when that is too much."""
    waiting, seen = [(content, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_VALUES or depth > MAX_DEPTH:
            raise ValueError("its aliases expand to too much; write the values out")
        if isinstance(value, Mapping):
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list | tuple):
            waiting.extend((item, depth + 1) for item in value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
