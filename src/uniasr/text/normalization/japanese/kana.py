"""Numbers that a recogniser wrote in kana: ひゃくにじゅうさんにん -> 123人, ハチジジュウゴフン -> 8時15分.

Readings of digits are also particles, endings and parts of words (に, ご, し, く), so more is asked for here than of
kanji: a counter with its sound change, several numerals, or a chain of quantities. What stays in doubt stays kana.
Both spellings of long vowels are read (じゅう, ジュー).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uniasr.text.normalization.japanese.kana_readings import counters, day, folded, numerals, patterns
from uniasr.text.normalization.japanese.numerals import digits, value, written
from uniasr.text.normalization.lattice import Candidate
from uniasr.text.normalization.records import Piece

KANA_COST = 0.5

_PAIRS = frozenset(
    {
        ("時", "分"),
        ("分", "秒"),
        ("月", "日"),
        ("年", "月"),
        ("時間", "分"),
        ("年", "か月"),
        ("割", "分"),
        ("丁目", "番"),
        ("番", "号"),
    }
)
_HOURS = re.compile(r"(?:ごぜん|ごご|午前|午後|あさ|よる|しんや|ゆうがた|あさの|よるの)$")
_HALF = re.compile(r"はん(?=$|[^ぁ-んー]|から|まで|に|ごろ|すぎ|です|でし|の|を|は[^ん]|ちょうど)")
_ERAS = "めいじ|たいしょう|しょうわ|へいせい|れいわ"
_ERA = re.compile(rf"(?:{_ERAS}|明治|大正|昭和|平成|令和)$")
_ORDINAL = re.compile(r"(?:^|[^ぁ-んー]|[のはわ])だい$")
_CALLED = re.compile(r"ばん(?![ちめ])")
_BETWEEN = re.compile("ぶんの|たい")
_BOUNDARY = re.compile("$|[^ぁ-んー]|[をはわがもでとのに]|です|でし|いじょう|いか|くらい|ぐらい|ほど(?!う)")
"""What may follow a number without a counter."""
_AFTER_TWO = re.compile("[をがでの。]|です|でし")
"""What follows a decimal that ends in two; before anything else the に is a particle."""
_AFTER_FIVE = re.compile("$|[^ぁ-んー]|を|に(?!ん)|です|でし")
"""What follows a decimal whose only place is five; before anything else ご may be a prefix: さんてん ごあんない."""
_PARTICLES = ("に", "ご", "し", "く")
_MEASURED = re.compile(r"まえ|ぶり|いじょう|いない|くらい|ぐらい|ほど(?!う)")
"""What follows amounts: さんねんまえ, ごふんほど."""
_ADVERBS = "もう|もー|やく|あと|たった|ほぼ|わずか|この|その|まる|ちょうど|ごご|ごぜん|まいなす"
_APART = rf"(?:^|[^ぁ-んー]|{_ADVERBS}|{_ERAS}|[のは]だい|^だい)"
_ALONE = re.compile(rf"(?:{_APART}|[をはわがもでとのにや])$")
"""What stands before a decimal without a counter."""
_DOUBTFUL = (
    (re.compile("に"), re.compile(rf"(?:{_APART}|[わはをがも])$")),
    (re.compile("(?:ご|よ(?!ん))(?!じゅ|ひゃ|せん|まん)"), re.compile(rf"(?:{_APART}|[わはをがにでもの])$")),
    (re.compile("し(?!ち)|く"), re.compile(rf"(?:{_APART}|[わはにの])$")),
    (re.compile("[しく](?!が?[つじち])"), re.compile("(?!)")),  # 4 and 9 are し and く in しがつ, くがつ, くじ only
    (re.compile("じゅ|ひゃ|せん"), re.compile("(?<!に)(?<!すう)(?<!すー)(?<!なん)$")),
    (re.compile("さん"), re.compile("(?<!たく)$")),
)
"""Numerals that are also particles or suffixes (それに じゅうドル, フランスご), and what must stand before them."""


@dataclass(frozen=True, slots=True)
class _Quantity:
    start: int
    number_end: int
    end: int
    numerals: str
    text: str
    unit: str
    sure: bool


def kana_numbers(source: str) -> Iterator[Candidate]:
    """Candidates for numbers in hiragana or katakana."""
    text = folded(source)
    for match in patterns().start.finditer(text):
        start = match.start()
        candidate = _code(text, start) or _chain(text, start) or _bare(text, start)
        for found in (candidate, _relation(text, start), _decimal(text, start)):
            if found is not None:
                yield found


def _chain(text: str, start: int) -> Candidate | None:
    """One quantity after another: はちじ じゅうごふん. One of them must be beyond doubt, or they must make a pair."""
    quantities: list[_Quantity] = []
    at = start
    while (quantity := _quantity(text, at, quantities)) is not None:
        if quantities and (quantities[-1].unit, quantity.unit) not in _PAIRS:
            break
        quantities.append(quantity)
        at = quantity.end
    if not quantities or not _clear(text, start):
        return None
    before = text[max(0, start - 5) : start]
    half = _HALF.match(text, at) if quantities[-1].unit in ("時", "時間", "年", "か月") else None
    if not _trusted(quantities, before, text[at : at + 4]):
        return None
    ordinal = _ORDINAL.search(before) is not None and quantities[0].unit != "時"
    pieces = [piece for quantity in quantities for piece in _pieces(quantity)]
    if half is not None:
        pieces.append(Piece(at, half.end(), "半", "time"))
        at = half.end()
    if ordinal:
        start -= 2
        pieces.insert(0, Piece(start, start + 2, "第", "ordinal"))
    elif before.endswith("まいなす"):
        start -= 4
        pieces.insert(0, Piece(start, start + 4, "-", "cardinal"))
    return Candidate(start, at, KANA_COST, tuple(pieces))


def _trusted(quantities: list[_Quantity], before: str, after: str) -> bool:
    """Whether the numerals of a chain are numerals: by their own form, in company, or by what stands beside them."""
    first = quantities[0].unit
    return (
        any(quantity.sure for quantity in quantities)
        or len(quantities) > 1
        or (first != "時" and _ORDINAL.search(before) is not None)
        or before.endswith("まいなす")
        or (first == "時" and (_HALF.match(after) is not None or _HOURS.search(before) is not None))
        or (first == "年" and _ERA.search(before) is not None)
        or _MEASURED.match(after) is not None
    )


def _quantity(text: str, start: int, before: list[_Quantity]) -> _Quantity | None:
    if before and before[-1].unit == "月" and (match := patterns().day.match(text, start)) is not None:
        return _Quantity(start, match.end(), match.end(), "", day(match[0]) + "日", "日", True)
    match = patterns().quantity.match(text, start)
    if match is None or not match["whole"]:
        return None
    run = numerals(match["whole"])
    number = written(run)
    if number is None:
        return None
    if match["part"]:
        number += "." + digits(numerals(match["part"]))
    counter = counters()[match["unit"]]
    if counter.written == "時" and value(number) > 30:
        return None  # ごご じゅうじ
    if counter.written == "章" and not _ORDINAL.search(text[max(0, start - 5) : start]):
        return None  # マジックショー
    sure = counter.sure or len(run) > 1 or bool(match["part"]) or (counter.written == "円" and run in "百千")
    sure = sure or match["whole"].endswith("じゅっ") or re.search("[^い]っ(?:[ぷぽ]|ぴき)", match[0]) is not None
    return _Quantity(start, match.end("number"), match.end(), run, number, counter.written, sure)


def _pieces(quantity: _Quantity) -> Iterator[Piece]:
    kind = "date" if quantity.unit in "年月日" else "time" if quantity.unit in ("時", "分", "秒") else "counter"
    yield Piece(quantity.start, quantity.number_end, quantity.text, kind)
    if quantity.end > quantity.number_end:
        yield Piece(quantity.number_end, quantity.end, quantity.unit, kind)


def _bare(text: str, start: int) -> Candidate | None:
    """A number of four numerals and more with a 百, 千 or larger in it needs no counter."""
    match = patterns().number.match(text, start)
    if match is None or match[0][-1:] in ("っ", "よ") or not _clear(text, start):
        return None
    run = numerals(match[0])
    number = written(run)
    if number is None or len(run) < 4 or not re.search("[百千万億兆]", run):
        return None
    return Candidate(start, match.end(), KANA_COST, (Piece(start, match.end(), number, "cardinal"),))


def _code(text: str, start: int) -> Candidate | None:
    """Digits one by one, in groups joined by の: numbers of seven digits and more, or of three before ばん."""
    match = patterns().code.match(text, start)
    if match is None:
        return None
    groups = [digits(numerals(group)) for group in match[0].split("の")]
    end = match.end()
    pieces = (Piece(start, end, "-".join(groups), "phone"),)
    if len(groups) == 1 and len(groups[0]) == 3 and _CALLED.match(text, end):
        return Candidate(start, end + 2, KANA_COST, (*pieces, Piece(end, end + 2, "番", "phone")))
    return Candidate(start, end, KANA_COST, pieces) if sum(map(len, groups)) >= 7 else None


def _relation(text: str, start: int) -> Candidate | None:
    """A fraction (さんぶんのいち -> 1/3), or a score of two clear numbers (じゅうごたいじゅうさん -> 15対13)."""
    first = patterns().number.match(text, start)
    between = _BETWEEN.match(text, first.end()) if first else None
    second = patterns().number.match(text, between.end()) if between else None
    if first is None or between is None or second is None or not _BOUNDARY.match(text, second.end()):
        return None
    low, high, end = written(numerals(first[0])), written(numerals(second[0])), second.end()
    if not low or not high or first[0].endswith("っ") or not _clear(text, start):
        return None
    if between[0] == "ぶんの":
        return Candidate(start, end, KANA_COST, (Piece(start, end, f"{high}/{low}", "fraction"),))
    if first[0] == "じゅう" or (second[0] in _PARTICLES and end < len(text)):
        return None  # じゅうたい (traffic jam)
    return Candidate(start, end, KANA_COST, (Piece(start, end, f"{low}対{high}", "score"),))


def _decimal(text: str, start: int) -> Candidate | None:
    """A decimal without a counter, if no word: れいてんご, さんてんいちよん (but not ごてん, してん, ぶれいてんに)."""
    whole = patterns().number.match(text, start)
    if whole is None or not text.startswith("てん", whole.end()):
        return None
    part = patterns().digits.match(text, whole.end() + 2)
    if part is None or not _clear(text, start) or not _ALONE.search(text[max(0, start - 5) : start]):
        return None
    run, places, end = numerals(whole[0]), part[0], part.end()
    if places.endswith("に") and not _AFTER_TWO.match(text, end):
        places, end = places[:-1], end - 1  # さんてんごに (近い)
    number = written(run)
    if not number or not places or not _BOUNDARY.match(text, end):
        return None
    if run != "〇" and places in _PARTICLES and not (places == "ご" and _AFTER_FIVE.match(text, end)):
        return None
    decimal = f"{number}.{digits(numerals(places))}"
    if text.endswith("まいなす", 0, start):
        start, decimal = start - 4, "-" + decimal
    return Candidate(start, end, KANA_COST, (Piece(start, end, decimal, "decimal"),))


def _clear(text: str, start: int) -> bool:
    """Whether a number that begins at `start` cannot be the end of the word or phrase before it."""
    before = text[max(0, start - 5) : start]
    return not any(here.match(text, start) and not left.search(before) for here, left in _DOUBTFUL)
