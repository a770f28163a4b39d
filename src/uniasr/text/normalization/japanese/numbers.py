"""Numbers at a place in a Japanese text: a run of numerals with its decimal part, an approximate pair, or a version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from uniasr.text.normalization.japanese.numerals import (
    DIGIT_STRING,
    DIGITS,
    LARGE_UNITS,
    NUMERALS,
    approximate,
    digits,
    value,
    written,
)

Shape: TypeAlias = Literal["single", "digits", "composed", "pair", "decimal", "version"]

_D = f"[{''.join(DIGITS)}]"
_ZEROS = "(?:ゼロ){1,8}"
_ZERO = f"(?<![ァ-ヴー]){_ZEROS}(?![ァ-ヴー])|(?<={_D}){_ZEROS}|{_ZEROS}(?={_D})"
RUN = re.compile(rf"(?:[{NUMERALS}]|{_ZERO})+")
LONGEST_RUN = 400
"""A longer run of numerals is no number."""
_LISTED = "[・位年月日時人回番階号塁班組巻章面]|学期|丁目"
_POINT = rf"(?:点|コンマ|(?<!・.)・(?={_D}+(?![{NUMERALS}]|{_LISTED})))"  # not 一・二位, 五・七・五
_FRACTION = re.compile(rf"{_POINT}((?:{_D}|{_ZERO})+)([千{LARGE_UNITS}]?)(?![{NUMERALS}])")
_MOST_PARTS = 8
_NAME = re.compile(r"(?:[ァ-ヴー]{2}|[A-Za-z])$")
_NOTHING_COUNTED = re.compile(r"$|[をがはにのでともへ、。]|から|まで|以[上降]|です|でし")
_PART = re.compile(rf"(?:点|ドット)((?:[{NUMERALS}]|{_ZERO})+)")


@dataclass(frozen=True, slots=True)
class Number:
    """`source[start:end]` is a number, written `text`."""

    start: int
    end: int
    text: str
    shape: Shape
    run: str
    """Its numerals, ゼロ as 〇; of a decimal those before the point."""


def number_at(source: str, start: int, prefer_pair: bool = True) -> Number | None:
    """The number whose numerals start at `start`; it takes the whole run of numerals, or there is none.

    Two neighbouring digits like 二三 are an approximate pair if `prefer_pair`, else a digit string.
    """
    match = RUN.match(source, start)
    if match is None or len(match[0]) > LONGEST_RUN:
        return None
    run, end = _translated(match[0]), match.end()
    if source.startswith("半期", end) and run.endswith("四") and len(run) > 1:
        run, end = run[:-1], end - 1  # 第一四半期: the four belongs to the unit
    version = _version(source, start, end, run)
    if version is not None:
        return version
    text = written(run)
    fraction = _FRACTION.match(source, end)
    if fraction is not None and text is not None:
        text = f"{value(text)}.{digits(_translated(fraction[1]))}{fraction[2]}"
        return Number(start, fraction.end(), text, "decimal", run)
    pair = approximate(run) if prefer_pair or text is None else None
    if pair is not None:
        return Number(start, end, pair, "pair", run)
    if text is None:
        return None
    return Number(start, end, text, _shape(run), run)


def _version(source: str, start: int, end: int, run: str) -> Number | None:
    """Three or more numbers joined by 点, or two of a program or a multiple (パイソン三点十二, 三点二十五倍)."""
    runs = [run]
    while len(runs) < _MOST_PARTS and (match := _PART.match(source, end)) is not None:
        runs.append(_translated(match[1]))
        end = match.end()
    short = len(runs) == 2 and "十" in runs[1] and (source.startswith("倍", end) or _named(source, start, end))
    if len(runs) < 3 and not short:
        return None
    parts = [part for part in map(written, runs) if part is not None]
    return Number(start, end, ".".join(parts), "version", run) if len(parts) == len(runs) else None


def _named(source: str, start: int, end: int) -> bool:
    """Whether a foreign name stands before two numbers joined by 点 and no counter behind them."""
    return bool(_NAME.search(source[max(0, start - 5) : start]) and _NOTHING_COUNTED.match(source, end))


def _shape(run: str) -> Shape:
    if len(run) == 1:
        return "single"
    return "digits" if DIGIT_STRING.fullmatch(run) else "composed"


def _translated(run: str) -> str:
    return run.replace("ゼロ", "〇")
