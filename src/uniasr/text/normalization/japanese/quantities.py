"""Numbers with and without units: the candidates that most conversions come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uniasr.text.normalization.japanese.context import accepts_bare, accepts_unit, frozen
from uniasr.text.normalization.japanese.numbers import RUN, Number, number_at
from uniasr.text.normalization.japanese.numerals import LARGE_UNITS, NUMERALS, written
from uniasr.text.normalization.japanese.units import Unit, unit_table
from uniasr.text.normalization.lattice import Candidate
from uniasr.text.normalization.records import Piece

QUANTITY_COST = 0.5
_ASCII_DIGITS = tuple("0123456789")
_SIGNS = (("プラスマイナス", "±"), ("マイナス", "-"))
_CODE_UNITS = frozenset({"号", "号室", "号車", "号線", "号館", "番地", "番線", "号機"})
_PER_TIME = re.compile(r"毎([秒分時])(毎\1)?(?!間)")
_TIME_SYMBOLS = {"秒": "s", "分": "min", "時": "h"}
_CLOCK_UNITS = frozenset({"月", "日", "時", "分", "秒"})
_CALENDAR = re.compile(
    rf"..(?:年[{NUMERALS}]+月|年度|月[{NUMERALS}]+日|時[{NUMERALS}]+分|(?<=月..)日)|(?:六七|七八|八九)年[にの]"
)
"""Two digits of a date or a time rather than an approximate pair: 二三年四月, 八九年に (but 二三年に一度)."""
_NO_ORDINAL = frozenset({"人", "歩", "次", "級", "義", "店", "口", "線"})
"""第一 before these is a word: 第一人者, 第一歩, 第一次."""
_ONE_ORDINAL = re.compile(
    r"(?:シード|ターミナル|コース|レース|ステージ|ビル|グループ|リーグ|クォーター|楽章|法則|師団|試合|志望|希望|候補|弾|案|幕|四半期|[月火水木金土日]曜|[0-9]|第)|[、・と][第二]"
)


def quantities(source: str) -> Iterator[Candidate]:
    """A candidate for every number that counts, its unit included."""
    for match in RUN.finditer(source):
        start = match.start()
        if (rest := _after_digits(source, match)) is not None:
            yield rest
        if frozen(match[0], source[max(0, start - 2) : start], source[match.end() : match.end() + 2]):
            continue
        ordinal = start > 0 and source[start - 1] == "第"
        number = number_at(source, start, prefer_pair=not ordinal)
        if number is None:
            continue
        unit = _unit_after(source, number)
        if number.shape == "pair" and (
            unit is None or unit.spoken in _CODE_UNITS or _CALENDAR.match(source, number.start)
        ):
            number = number_at(source, start, prefer_pair=False) or number
        if ordinal:
            yield from _ordinal(source, number, unit)
        else:
            yield from _cardinal(source, number, unit)


def _after_digits(source: str, match: re.Match[str]) -> Candidate | None:
    """What stands behind digits and 万, 億 or 兆: 3万五千 -> 3万5000."""
    start, run = match.start() + 1, match[0]
    if not source.endswith(_ASCII_DIGITS, 0, match.start()) or run[0] not in LARGE_UNITS or len(run) == 1:
        return None
    if (text := written(run[1:])) is None:
        return None
    number = Number(start, match.end(), text, "composed", run[1:])
    return _candidate(start, number, _unit_after(source, number), "")


def _unit_after(source: str, number: Number) -> Unit | None:
    unit = unit_table().longest(source, number.end)
    if unit is not None and (rate := _rate(source, number.end, unit)) is not None:
        return rate
    if unit is not None and unit.spoken in ("月", "日") and source.startswith("曜", number.end + 1):
        return None  # 第二月曜日
    return unit


def _rate(source: str, start: int, unit: Unit) -> Unit | None:
    """A measure by another one or by time, if both have symbols: グラム毎リットル, メートル毎秒毎秒."""
    at = start + len(unit.spoken)
    if unit.written == unit.spoken or not source.startswith("毎", at):
        return None
    if (time := _PER_TIME.match(source, at)) is not None:
        spoken, below = time[0], _TIME_SYMBOLS[time[1]] + ("²" if time[2] else "")
    elif (other := unit_table().longest(source, at + 1)) is not None and other.written != other.spoken:
        spoken, below = "毎" + other.spoken, other.written
    else:
        return None
    return Unit(unit.spoken + spoken, f"{unit.written}/{below}", unit.kind, unit.one)


def _cardinal(source: str, number: Number, unit: Unit | None) -> Iterator[Candidate]:
    name, sign = next((pair for pair in _SIGNS if source.endswith(pair[0], 0, number.start)), ("", ""))
    start = number.start - len(name)
    before = source[max(0, start - 12) : start]
    if unit is not None:
        end = number.end + len(unit.spoken)
        if sign or accepts_unit(number, unit, before, source[end : end + 20]):
            yield _candidate(start, number, unit, sign)
            return
    after = source[number.end : number.end + 12]
    if sign or accepts_bare(number, before, after):
        yield _candidate(start, number, None, sign)


def _ordinal(source: str, number: Number, unit: Unit | None) -> Iterator[Candidate]:
    """第 and a number: always an ordinal, but 第一 only with a unit or a noun that is counted."""
    after = source[number.end : number.end + 12]
    if number.run == "一" and (unit is None or unit.spoken in _NO_ORDINAL) and not _ONE_ORDINAL.match(after):
        return
    piece = Piece(number.start, number.end, number.text, "ordinal")
    end = number.end + (len(unit.spoken) if unit is not None else 0)
    yield Candidate(number.start - 1, end, QUANTITY_COST, (piece,))


def _candidate(start: int, number: Number, unit: Unit | None, sign: str) -> Candidate:
    text, kind = number.text, str(number.shape) if number.shape in ("decimal", "version") else "cardinal"
    if unit is not None:
        kind = unit.kind
        if unit.spoken in _CLOCK_UNITS and number.shape == "digits" and len(text) == 2:
            text = text.lstrip("0") or "0"
    pieces = [Piece(start, number.end, sign + text, kind)]
    end = number.end
    if unit is not None:
        pieces.append(Piece(end, end + len(unit.spoken), unit.written, kind))
        end += len(unit.spoken)
    return Candidate(start, end, QUANTITY_COST, tuple(pieces))
