"""Hotwords as users give them: one, a list, a file, or words with weights. Spelling them is `text.spelling`'s work.

A word is a line `word`, `word reading`, `word weight` or `word reading weight`; the reading is kana. Fields are
separated by tabs where the line has one, else by blanks; then a number is a weight behind kana, with a decimal point or
with a sign (リビング 2, 寒河江 2.0), and else a part of the word (Windows 10). Empty lines and lines that begin with #
say nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike, fspath
from pathlib import Path
from typing import TypeAlias

from uniasr.errors import OptionError

Hotwords: TypeAlias = "str | PathLike[str] | Mapping[str, float] | Iterable[str] | tuple[Hotword, ...]"
"""What a call takes: words in one string, a file, words with weights, or words; what `read_hotwords` has read, too."""

MOST_WEIGHT = 10.0
MOST_WORDS = 100_000
MOST_CHARACTERS = 100
"""Of a word or reading."""
_MOST_BYTES = 16 * 2**20
_FILE_SUFFIXES = (".txt", ".tsv", ".lst", ".csv")
_KANA = re.compile(r"[ぁ-ゖァ-ヺー・=\s゛-ゞヽヾ]*[ぁ-ゖァ-ヺ][ぁ-ゖァ-ヺー・=\s゛-ゞヽヾ]*")


@dataclass(frozen=True, slots=True)
class Hotword:
    """A word to listen for."""

    word: str
    """As the user wrote it; what a report names."""
    reading: str | None = None
    """In hiragana or katakana; None where the word itself is all there is."""
    weight: float = 1.0
    """1 is the usual strength, larger ones come near to one and a half of it; below 0 the word becomes less likely."""


def is_kana(text: str) -> bool:
    """Whether the text is hiragana and katakana alone, and so its own reading."""
    return _KANA.fullmatch(text) is not None


def read_hotwords(words: Hotwords) -> tuple[Hotword, ...]:
    """The words in any form that a call takes.

    Args:
        words: a string is the name of a file, or words separated by line ends, commas or 、; a path is a file; a
            mapping has weights as values; anything else is a sequence of lines. Only a string or path opens a file,
            so what comes from a stranger goes into a list.

    Raises OptionError for a missing or unreadable file, a weight out of range, a word that is too long.
    """
    if isinstance(words, PathLike):
        return _of_file(Path(words))
    if isinstance(words, str):
        return _of_file(Path(words)) if _names_file(words) else _parsed(tuple(re.split(r"[\r\n,、，]", words)))
    if isinstance(words, Mapping):
        return tuple(_with_weight(line, weight) for line, weight in words.items())
    if isinstance(words, bytes) or not isinstance(words, Iterable):
        raise OptionError(f"hotwords is {words!r:.60}; give a list, a file, or a mapping from words to weights")
    lines = tuple(words)
    if lines and all(isinstance(line, Hotword) for line in lines):
        return tuple(line for line in lines if isinstance(line, Hotword))
    for line in lines:
        if not isinstance(line, str):
            raise OptionError(f"hotwords holds {line!r:.60}; every word is a string like '寒河江 さがえ'")
    return _parsed(lines)


def _names_file(text: str) -> bool:
    """Whether the string is the name of a file, existing or not: a lost list must not pass for a word."""
    if "\n" in text or len(text) > 1000:
        return False
    try:
        return text.endswith(_FILE_SUFFIXES) or "/" in text or Path(text).is_file()
    except (OSError, ValueError):  # longer than any name, or with a null byte
        return False


def _of_file(path: Path) -> tuple[Hotword, ...]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise OptionError(f"{path} is larger than {_MOST_BYTES} bytes; that is no list of hotwords")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OptionError(
            f"the hotwords file {fspath(path)} cannot be read ({error.strerror}); "
            "if these are words, put those with a '/' or an ending like .txt into a file or a list"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise OptionError(f"the hotwords file {path} is not UTF-8 in line {line}; save it as UTF-8") from error
    except ValueError as error:  # a name that no file can have
        raise OptionError(f"the hotwords file {fspath(path)!r} cannot be read ({error})") from error
    return _parsed(tuple(content.split("\n")), f"{path}: ")


@lru_cache(maxsize=8)
def _parsed(lines: tuple[str, ...], where: str = "") -> tuple[Hotword, ...]:
    said = (line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    words = tuple(dict.fromkeys(_word(line, where) for line in said))
    if len(words) > MOST_WORDS:
        raise OptionError(f"{where}{len(words)} hotwords are too many; {MOST_WORDS} are the most")
    return words


def _word(line: str, where: str = "") -> Hotword:
    if len(line) > 4 * MOST_CHARACTERS:
        raise OptionError(f"{where}{line!r:.30} has more than {MOST_CHARACTERS} characters; that is no word")
    fields = line.split("\t") if "\t" in line else line.split()
    fields = [field.strip() for field in fields if field.strip()]
    weight = 1.0
    if len(fields) > 1 and _number(fields[-1]) is not None and ("\t" in line or _is_weight(*fields[-2:])):
        weight = _checked(_number(fields.pop()), line, where)
    reading = fields.pop() if len(fields) > 1 and is_kana(fields[-1]) else None
    if "\t" in line and len(fields) > 1:
        raise OptionError(f"{where}{line!r:.80} is no line 'word', 'word reading' or 'word reading weight'")
    word = " ".join(fields)
    if max(len(word), len(reading or "")) > MOST_CHARACTERS:
        raise OptionError(f"{where}{word!r:.30} has more than {MOST_CHARACTERS} characters; that is no word")
    return Hotword(word, reading, weight)


def _with_weight(line: object, weight: object) -> Hotword:
    if not isinstance(line, str) or not line.strip():
        raise OptionError(f"hotwords holds {line!r:.60}; every word is a string like '寒河江 さがえ'")
    found = _word(line)
    return Hotword(found.word, found.reading, _checked(weight, line, ""))


def _checked(weight: object, line: str, where: str) -> float:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not abs(weight) <= MOST_WEIGHT:
        raise OptionError(
            f"{where}the weight of {line.strip()!r:.60} is {weight!r:.20}; 1 is the usual strength of a hotword, "
            f"{MOST_WEIGHT:g} the most"
        )
    return float(weight)


def _is_weight(before: str, number: str) -> bool:
    """Whether a number behind a blank is a weight, and no part of a name such as Windows 10."""
    return not before.isascii() or "." in number or number.startswith(("+", "-"))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
