"""Japanese text normalisation: digits and symbols are written as they are spoken.

The rules are patterns over the text in compatibility form (full-width digits, ㎞ and Ⅱ become plain); each match is a
candidate of the same lattice that ITN uses, so the widest reading wins, and of equal ones the rule that stands first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from uniasr.text.normalization.japanese.spoken import (
    INTEGER,
    NUMBER,
    SIGNED,
    clock,
    date,
    digits_joined,
    lasting,
    spoken,
    spoken_alone,
)
from uniasr.text.normalization.japanese.units import lines_of
from uniasr.text.normalization.lattice import Candidate, cheapest
from uniasr.text.normalization.records import Piece

RULE_COST = 0.5
_KEPT = frozenset("²³½⅓¼¾⅔℃℉…‥№")
"""Characters whose compatibility form would lose what they mean."""
_WEEKDAY = r"[(（]([月火水木金土日])(?:曜日?)?[)）]"
_ERAS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_CURRENCIES = {
    "¥": "円",
    "$": "ドル",
    "€": "ユーロ",
    "£": "ポンド",
    "₩": "ウォン",
    "元": "元",
    "฿": "バーツ",
    "₹": "ルピー",
}
_CENTS = {"$": "セント", "€": "セント", "£": "ペンス"}
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "¼": (1, 4), "¾": (3, 4), "⅔": (2, 3)}
_OPERATORS = {"+": "たす", "-": "ひく", "−": "ひく", "×": "かける", "÷": "割る", "=": "は", "*": "かける"}
_NOT_AFTER = r"(?<![\d.,])"
_NOT_BEFORE = r"(?![\d]|[.,]\d)"
_COUNTER = (
    r"(?=[年月日時分秒人個回件本枚台円度点位歳才倍階泊名社か割ヶ週世冊匹頭番%a-zA-Z]|パーセント|ページ|キロ|メートル)"
)

Reading = Callable[[re.Match[str]], "str | None"]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    reading: Reading


def tn_pieces(source: str) -> list[Piece]:
    """What changes in the source, in order."""
    folded, origins = _folded(source)
    candidates: list[Candidate] = []
    for rule in _rules():
        for match in rule.pattern.finditer(folded):
            text = rule.reading(match)
            if text is None:
                continue
            start, end = origins[match.start()], origins[match.end() - 1] + 1
            candidates.append(Candidate(start, end, RULE_COST, (Piece(start, end, text, rule.kind),)))
    return [piece for candidate in cheapest(len(source), candidates) for piece in candidate.pieces]


def _folded(source: str) -> tuple[str, list[int]]:
    """The text in compatibility form, and for each of its characters the index of its origin."""
    parts, origins = [], []
    for index, char in enumerate(source):
        part = char if char in _KEPT else unicodedata.normalize("NFKC", char)
        parts.append(part)
        origins += [index] * len(part)
    return "".join(parts), origins


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(_Rule(kind, re.compile(pattern), reading) for kind, pattern, reading in _table())


@cache
def _symbols() -> dict[str, str]:
    return dict(line.split() for line in lines_of("symbols.txt"))


def _table() -> Iterator[tuple[str, str, Reading]]:
    """Kind, pattern and reading of every rule; of equally long readings the first one wins."""
    yield from _codes()
    yield from _dates_and_times()
    yield from _amounts()
    yield from _relations()
    number = rf"{_NOT_AFTER}{NUMBER}"
    yield "cardinal", rf"{number}(?=[時度点](?![^\d])|時|度)", lambda m: spoken(m[0])
    yield "cardinal", rf"(?<![\d.,0-9A-Za-z\-])[-−+±]{NUMBER}", lambda m: spoken(m[0])
    yield "cardinal", number, lambda m: spoken_alone(m[0])


def _codes() -> Iterator[tuple[str, str, Reading]]:
    def parts(match: re.Match[str]) -> str:
        groups = match[0].split(".")
        address = len(groups) == 4
        return "点".join(digits_joined(group) if address else spoken(group) for group in groups)

    def address(match: re.Match[str]) -> str:
        names = {
            "@": "アットマーク",
            ".": "ドット",
            "-": "ハイフン",
            "_": "アンダーバー",
            "/": "スラッシュ",
            ":": "コロン",
        }
        return "".join(names.get(char, digits_joined(char) if char.isdigit() else char) for char in match[0])

    yield "electronic", r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", address
    yield "electronic", r"(?:https?://|www\.)[A-Za-z0-9._/-]*[A-Za-z0-9/]", address
    yield "phone", r"(?<![\d-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])", lambda m: digits_joined(m[0])
    yield "phone", r"(?<![\d-])\(0\d{1,4}\)\d{1,4}-\d{4}(?![\d-])", lambda m: digits_joined(m[0])
    yield "phone", r"(?<![\d-])0\d{1,3}-\d{6,8}(?![\d-])", lambda m: digits_joined(m[0])
    yield "code", r"〒\s?(\d{3}-\d{4})(?![\d-])", lambda m: "郵便番号" + digits_joined(m[1])
    yield "code", r"(?<![\d-])\d{3}-\d{4}(?![\d-])", lambda m: digits_joined(m[0])
    yield "code", r"(?<![\d-])\d{4}(?:-\d{4}){3}(?![\d-])", lambda m: digits_joined(m[0])
    yield "code", rf"{_NOT_AFTER}\d+(?:\.\d+){{2,}}{_NOT_BEFORE}", parts
    yield (
        "address",
        r"(?<![\d-])\d{1,4}-\d{1,4}-\d{1,4}(?:-\d{1,4})?(?![\d-])",
        lambda m: "の".join(spoken(group) for group in m[0].split("-")),
    )
    yield "address", r"(?<=[町村区市])\d{1,4}-\d{1,4}(?![\d-])", lambda m: "の".join(spoken(g) for g in m[0].split("-"))
    yield "ordinal", r"(?:No\.?|№|#)\s?(\d+)", lambda m: "ナンバー" + spoken(m[1])
    yield "ordinal", r"(?<![A-Za-z0-9])B(\d{1,2})(?:F(?![A-Za-z0-9])|階)", lambda m: f"地下{spoken(m[1])}階"
    yield "ordinal", r"(?<![A-Za-z0-9])(\d{1,3})F(?![A-Za-z0-9])", lambda m: f"{spoken(m[1])}階"
    yield "ordinal", r"(?<![A-Za-z])(?:I{1,3}|IV|VI{0,3}|IX)(?=世)", lambda m: spoken(str(_roman(m[0])))


def _roman(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    numbers = [values[char] for char in text]
    return sum(-n if n < max(numbers[i:]) else n for i, n in enumerate(numbers))


def _dates_and_times() -> Iterator[tuple[str, str, Reading]]:
    def weekday(name: str | None) -> str:
        return f"{name}曜日" if name else ""

    def full_date(match: re.Match[str]) -> str | None:
        year, month, day, name = match.groups()
        return date(year, month, day) + weekday(name) if _is_day(month, day) else None

    def short_date(match: re.Match[str]) -> str | None:
        month, day, name = match.groups()
        return f"{spoken(str(int(month)))}月{spoken(str(int(day)))}日{weekday(name)}" if _is_day(month, day) else None

    def era_date(match: re.Match[str]) -> str | None:
        era, year, month, day = match.groups()
        first = "元年" if year == "1" else f"{spoken(year)}年"
        if month is None:
            return _ERAS[era] + first
        return _ERAS[era] + first + date("1", month, day)[2:] if _is_day(month, day) else None

    def time(match: re.Match[str]) -> str | None:
        hour, minute, second, half = match.groups()
        if int(hour) > 29 or int(minute) > 59:
            return None
        if half:
            return ("午前" if half.lower().startswith("a") else "午後") + clock(hour, minute, second)
        before = match.string[: match.start()]
        if second and not before.endswith(("午前", "午後")):
            return lasting(hour, minute, second)
        return clock(hour, minute, second)

    yield "date", rf"(?<![\d/.-])(\d{{4}})[/.-](\d{{1,2}})[/.-](\d{{1,2}})(?![\d/-])(?:{_WEEKDAY})?", full_date
    yield "date", rf"(?<![\d/])(\d{{1,2}})/(\d{{1,2}}){_WEEKDAY}", short_date
    yield "date", r"(?<![\d/])(\d{1,2})/(\d{1,2})()(?=[〜~～]\d{1,2}/\d{1,2}(?![\d/]))", short_date
    yield "date", r"(?<=\d[〜~～])(\d{1,2})/(\d{1,2})()(?![\d/])", short_date
    yield "date", r"(?<=[日])" + _WEEKDAY, lambda m: f"{m[1]}曜日"
    yield "date", r"(?<![A-Za-z0-9])([MTSHR])(\d{1,2})\.(\d{1,2})\.(\d{1,2})(?![\d.])", era_date
    yield (
        "date",
        r"(?<![A-Za-z0-9])([MTSHR])(\d{1,2})()()年",
        lambda m: f"{_ERAS[m[1]]}{'元' if m[2] == '1' else spoken(m[2])}年",
    )
    yield "time", r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2}))?(?![\d:])(?:\s?([AaPp]\.?[Mm]\.?))?", time
    yield (
        "time",
        r"(?<![A-Za-z])([AaPp])[Mm]\s?(\d{1,2})(?::(\d{2}))?(?!\d)",
        lambda m: ("午前" if m[1] in "aA" else "午後") + clock(m[2], m[3] or "0"),
    )
    yield (
        "time",
        r"(?<!\d)(\d{1,2})\s?([AaPp])[Mm](?![A-Za-z])",
        lambda m: ("午前" if m[2] in "aA" else "午後") + clock(m[1], "0"),
    )


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _amounts() -> Iterator[tuple[str, str, Reading]]:
    def money(match: re.Match[str]) -> str:
        sign, number, large = match.groups()
        whole, _, cents = number.partition(".")
        if len(cents) == 2 and sign in _CENTS and not large:
            part = f"{spoken(str(int(cents)))}{_CENTS[sign]}" if int(cents) else ""
            return f"{spoken(whole)}{_CURRENCIES[sign]}{part}"
        return f"{spoken(number)}{large}{_CURRENCIES[sign]}"

    def measure(match: re.Match[str]) -> str:
        return spoken(match[1]) + _symbols()[match[2]]

    symbol = "|".join(re.escape(one) for one in sorted(_symbols(), key=len, reverse=True))
    signed = rf"((?<![\d.,A-Za-z]){SIGNED})"
    yield "money", rf"([{''.join(_CURRENCIES)}])\s?({NUMBER})([万億兆]?)", money
    yield "measure", rf"{signed}\s?({symbol})(?![A-Za-z0-9²³])", measure
    yield "temperature", rf"{signed}\s?(?:℃|°C)", lambda m: f"{spoken(m[1])}度"
    yield "temperature", rf"{signed}\s?(?:℉|°F)", lambda m: f"華氏{spoken(m[1])}度"
    yield "percent", r"(?<=[万億兆十百千])%", lambda m: "パーセント"
    yield "measure", r"[⁰²³](?![0-9])", lambda m: f"の{'二' if m[0] == '²' else '三'}乗"


def _relations() -> Iterator[tuple[str, str, Reading]]:
    def fraction(match: re.Match[str]) -> str | None:
        whole, above, below = match.groups()
        if int(below) == 0:
            return None
        return (f"{spoken(whole)}と" if whole else "") + f"{spoken(below)}分の{spoken(above)}"

    def vulgar(match: re.Match[str]) -> str:
        above, below = _VULGAR[match[2]]
        return (f"{spoken(match[1])}と" if match[1] else "") + f"{spoken(str(below))}分の{spoken(str(above))}"

    def term(text: str) -> str:
        root = text.startswith("√")
        power = {"²": "の二乗", "³": "の三乗"}.get(text[-1], "")
        return ("ルート" if root else "") + spoken(text.strip("√²³")) + power

    def sum_of(match: re.Match[str]) -> str:
        tokens = re.findall(rf"√?{NUMBER}[²³]?|[-−+×÷=*]", match[0])
        result, operand = "", False
        for token in tokens:
            if token in _OPERATORS:
                result += _OPERATORS[token] if operand else "マイナス"
                operand = False
            else:
                result += term(token)
                operand = True
        return result

    operand = rf"√?{NUMBER}[²³]?"
    yield "fraction", r"(?<![\d/.,])(?:(\d+)\s)?(\d+)/(\d+)(?![\d/])", fraction
    yield "fraction", rf"(\d*)([{''.join(_VULGAR)}])", vulgar
    yield (
        "math",
        rf"(?<![\d.,A-Za-z])[-−]?{operand}(?:\s?[-−+×÷*]\s?{operand})*\s?=\s?[-−]?{operand}{_NOT_BEFORE}",
        sum_of,
    )
    yield "math", rf"(?<![\d.,A-Za-z]){operand}(?:\s?[+×÷*]\s?{operand})+{_NOT_BEFORE}", sum_of
    yield "math", rf"√{NUMBER}", lambda m: term(m[0])
    yield "math", rf"{_NOT_AFTER}{NUMBER}[²³]", lambda m: term(m[0])
    yield "range", rf"(?<![\d-])({INTEGER})[-−](?={INTEGER}{_COUNTER})", lambda m: f"{spoken(m[1])}から"
    yield "range", r"(?<=[\d年月日時分秒円人個回%℃゚度mgLWVAz割点歳])[〜~～](?=[-+¥$€]?\d)", lambda m: "から"
    yield "range", r"(?<=[年月日時分])[〜~～]", lambda m: "から"
    yield (
        "score",
        rf"(?<![\d:-]){INTEGER}[-−:]{INTEGER}(?![\d:-])",
        lambda m: "対".join(spoken(one) for one in re.split(r"[-−:]", m[0])),
    )
