"""What several numbers say together: fractions, telephone and house numbers, sums."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uniasr.text.normalization.japanese.numbers import RUN, Number, number_at
from uniasr.text.normalization.japanese.numerals import NUMERALS, value, written
from uniasr.text.normalization.japanese.units import unit_table
from uniasr.text.normalization.lattice import Candidate
from uniasr.text.normalization.records import Piece

EXPRESSION_COST = 0.5
_OPERATORS = {
    "プラス": "+", "たす": "+", "足す": "+", "マイナス": "-", "ひく": "-", "引く": "-",
    "かける": "×", "掛ける": "×", "わる": "÷", "割る": "÷", "イコール": "=",
}  # fmt: skip
_OPERATOR = re.compile("|".join(_OPERATORS))
_PLUS = "プラス"
_BOUT = re.compile(r"(?:本勝負|本|回|曲|話|番組|人目|枚目)")
_DIVISIBLE = frozenset("個コ本枚杯丁玉缶束袋株房箱瓶錠膳倍拍周段点室票勝桁行列冊人") | {
    *("切れ", "パック", "カップ", "カプセル", "拍子", "車線", "画面", "ページ", "世帯", "議席", "人前"),
    *("個分", "杯分", "枚分", "本分", "人分", "食分", "日分", "年分", "月分", "週分"),
}
"""Counters of what a fraction can be of. Of others 十五分の二試合 is two of them, of a quarter of an hour each."""
_AFTER_ADDRESS = re.compile(r"$|[、。にへでをはがだ\s]|です|まで|から|番|号")
_MOST_TERMS = 10
_SHORT = "[一二三四五六七八九十]{1,3}"
_SCORE = re.compile(rf"({_SHORT})の({_SHORT})(?![{NUMERALS}])")
_SCORE_JOINT = re.compile(rf"(?:、|と、?)(?={_SHORT}の{_SHORT}(?![{NUMERALS}]))")


def expressions(source: str) -> Iterator[Candidate]:
    """Candidates that start at each run of numerals (or at the sign before it)."""
    for match in RUN.finditer(source):
        for rule in (_fraction, _joined, _scores, _sum):
            candidate = rule(source, match.start())
            if candidate is not None:
                yield candidate


def _fraction(source: str, start: int) -> Candidate | None:
    """五分の三 -> 3/5; a sign before it and a unit behind it belong to it."""
    below = number_at(source, start, prefer_pair=False)
    if below is None or not source.startswith("分の", below.end):
        return None
    above = number_at(source, below.end + 2, prefer_pair=False)
    if (
        above is None
        or above.shape == "version"
        or _BOUT.match(source, above.end)
        or (source[start - 1 : start] in "数何幾" and start)
    ):
        return None
    sign = "-" if source.endswith("マイナス", 0, start) else ""
    start -= 4 if sign else 0
    divisor = below.text if below.shape == "decimal" else str(value(below.text))
    pieces = [Piece(start, above.end, f"{sign}{above.text}/{divisor}", "fraction")]
    end = above.end
    unit = unit_table().longest(source, end)
    if unit is not None and unit.kind == "counter" and unit.spoken not in _DIVISIBLE and value(below.text) % 5 == 0:
        return None
    if unit is not None:
        end += len(unit.spoken)
        pieces.append(Piece(above.end, end, unit.written, unit.kind))
    return Candidate(start, end, EXPRESSION_COST, tuple(pieces))


def _joined(source: str, start: int) -> Candidate | None:
    """Numbers joined by の: 〇三の一二三四の五六七八 -> 03-1234-5678, 二の八の一 -> 2-8-1.

    Two parts must both be digit strings of several digits, or stand after kanji (a district) without a unit behind
    them. A number plate keeps its first の: 品川五〇〇の一二の三四 -> 500の12-34.
    """
    parts = _parts(source, start)
    if len(parts) < 2 or not _is_code(source, parts):
        return None
    texts = [part.text for part in parts]
    end = parts[-1].end
    if _is_plate(parts) and re.search(r"[一-鿿]$", source[max(0, start - 1) : start]):
        first = parts[0]
        pieces = (
            Piece(start, first.end, first.text, "code"),
            Piece(first.end + 1, end, "-".join(texts[1:]), "code"),
        )
        return Candidate(start, end, EXPRESSION_COST, pieces)
    if len(parts) > 2 and source.endswith(_PLUS, 0, start):
        return _one(start - len(_PLUS), end, "+" + "-".join(texts), "phone")
    return _one(start, end, "-".join(texts), "phone" if texts[0][0] == "0" else "code")


def _is_plate(parts: list[Number]) -> bool:
    """500 12-34; with two digits first it is one only if they are read one by one (else a house number)."""
    lengths = [len(part.text) for part in parts]
    read_out = all(part.shape == "digits" for part in parts)
    return parts[0].text[0] != "0" and (lengths == [3, 2, 2] or (lengths == [2, 2, 2] and read_out))


def _parts(source: str, start: int) -> list[Number]:
    """Whole numbers joined by の, at most five (a card number has four)."""
    parts: list[Number] = []
    at = start
    while len(parts) < 5:
        number = number_at(source, at, prefer_pair=False)
        if number is None or number.shape in ("decimal", "version"):
            break
        parts.append(number)
        if not source.startswith("の", number.end) or RUN.match(source, number.end + 1) is None:
            break
        at = number.end + 1
    return parts


def _is_code(source: str, parts: list[Number]) -> bool:
    if any(character in part.run for part in parts for character in "万億兆京"):
        return False
    last = parts[-1]
    strings = all(part.shape == "digits" for part in parts)
    followed = unit_table().longest(source, last.end)
    if followed is not None and followed.spoken not in ("号", "号室"):
        return strings and parts[0].text[0] == "0" and followed.spoken == "番"
    if strings:
        return True
    if len(parts) >= 3:
        return True
    district = re.search(r"[一-鿿ァ-ヴー丁目組はが]$", source[max(0, parts[0].start - 1) : parts[0].start])
    return district is not None and _AFTER_ADDRESS.match(source, last.end) is not None


def _scores(source: str, start: int) -> Candidate | None:
    """Several pairs joined by の that stand in a list: 六の四、七の六で -> 6-4、7-6で."""
    pieces: list[Piece] = []
    at = end = start
    while len(pieces) < _MOST_TERMS and (match := _SCORE.match(source, at)) is not None:
        first, second = written(match[1]), written(match[2])
        if first is None or second is None:
            return None
        pieces.append(Piece(at, match.end(), f"{first}-{second}", "score"))
        end = match.end()
        joint = _SCORE_JOINT.match(source, end)
        if joint is None:
            break
        at = joint.end()
    if len(pieces) < 2 or unit_table().longest(source, end) is not None:
        return None
    return Candidate(start, end, EXPRESSION_COST, tuple(pieces))


def _sum(source: str, start: int) -> Candidate | None:
    """A sum that says イコール, with symbols: 一プラス一イコール二 -> 1+1=2. Sums in words stay words."""
    texts: list[str] = []
    at, equal = start, False
    while len(texts) < 2 * _MOST_TERMS:
        sign = "-" if source.startswith("マイナス", at) else ""
        number = number_at(source, at + 4 * len(sign), prefer_pair=False)
        if number is None:
            return None
        texts.append(sign + number.text)
        operator = _OPERATOR.match(source, number.end)
        if operator is None:
            return _one(start, number.end, "".join(texts), "math") if equal else None
        equal |= operator[0] == "イコール"
        texts.append(_OPERATORS[operator[0]])
        at = operator.end()
    return None


def _one(start: int, end: int, text: str, kind: str) -> Candidate:
    return Candidate(start, end, EXPRESSION_COST, (Piece(start, end, text, kind),))
