"""The rules of Japanese TN: patterns over the folded text, and how each match is spoken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
from uniasr.text.normalization.tables import lines_of

Reading = Callable[[re.Match[str]], "str | None"]
"""A match as it is spoken; None where it is something else after all."""

Rule = tuple[str, str, Reading]

_WEEKDAY = r"[(（]([月火水木金土日])(?:曜日?)?[)）]"
_EVENT = (
    r"付|現在|時点|以降|ごろ|頃|締切|必着|の(?:朝|昼|夜|夕|午前|午後|誕生|予定|会|イベント|地震|震災|事件|テロ|イブ|試合|講|発)|"
    r"テロ|に(?:会|行|開|発|出発|出場|集|帰|来|始|届|終|提出|予|訪)|"
    r"\s?(?:開催|開始|開幕|発売|公開|締|〆|提出|出発|到着|集合|午前|午後|\d{1,2}:\d\d)"
)
"""What follows a day rather than a fraction: 7/20に開催."""
_AT_THE_CLOCK = re.compile(r"(?:午前|午後|日|[月火水木金土日][)）]|時刻[はが:：]?|\d[-/]\d{1,2})\s?$")
"""What stands before a time of the day, a date among others."""
_CLOCK_AFTER = re.compile(r"に(?![はも])|から(?!\d)|まで|ごろ|頃|時点|現在|[発着]|開[始演場]|[〜~～]")
_RECORD = re.compile(r"(?:記録|タイム|ラップ|時間|ベスト)[はがを]?\s?$")
_ERAS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_CURRENCIES = {"¥": "円", "$": "ドル", "€": "ユーロ", "£": "ポンド", "₩": "ウォン", "฿": "バーツ", "₹": "ルピー"}
_CENTS = {"$": "セント", "€": "セント", "£": "ペンス"}
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "¼": (1, 4), "¾": (3, 4), "⅔": (2, 3)}
_OPERATORS = {"+": "たす", "-": "引く", "−": "引く", "×": "かける", "÷": "割る", "=": "は", "*": "かける"}
_POWER = r"⁻?[⁰¹²³⁴-⁹]{1,3}"
_POWER_SIGNS = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_SUPERSCRIPTS = str.maketrans(_POWER_SIGNS, "-0123456789")
_NOT_AFTER = r"(?<!\d)(?<!\d[.,])"
_NOT_BEFORE = r"(?![\d]|[.,]\d)"
_COUNTER = (
    r"(?=[年月日時分秒人個回件本枚台円度点位歳才倍階泊名社か割ヶ週世冊匹頭番章条話巻級]|"
    r"パーセント|ページ|キロ|メートル|センチ)"
)


_DIGIT_STRINGS = (
    *(
        "暗証番号",
        "認証番号",
        "認証コード",
        "確認コード",
        "セキュリティコード",
        "セキュリティーコード",
        "証券コード",
        "銀行コード",
    ),
    *("パスコード", "パスワード", "シリアルナンバー", "(?<![A-Za-z])PIN", "(?<![A-Za-z])ID"),
)
"""What names digits that are read one by one, however few."""
_COUNTED_THINGS = "桁|文字|個|件|回|年|月|円|人|枚|種|つ|を(?:超|上回|下回)|以[上下]"
"""What shows that they are a quantity all the same: パスワードは100種類."""


def rules() -> Iterator[Rule]:
    """Kind, pattern and reading of every rule; of equally long readings the first one wins."""
    yield from _dates_and_times()
    yield from _codes()
    yield from _amounts()
    yield from _relations()
    number = rf"{_NOT_AFTER}{NUMBER}"
    yield "decimal", r"(?<![\d.A-Za-z])\.\d{2,3}(?![\d.])", lambda m: spoken(f"0{m[0]}")
    yield "time", r"(?<!\d)0\d(?=[月日時分秒])", lambda m: spoken(str(int(m[0])))
    yield "cardinal", rf"{number}(?=時|度|(?<=時0)分|(?<=分0)秒)", lambda m: spoken(m[0])
    yield "cardinal", rf"(?<![\d.,0-9A-Za-z\-年月日時分+])[-−+±]{NUMBER}", lambda m: spoken(m[0])
    yield "cardinal", r"(?<![\d,.])1,?000(?=[億兆京])", lambda m: "一千"  # as `spoken_integer` has it
    yield "cardinal", number, lambda m: spoken_alone(m[0])


def _behind(*names: str) -> str:
    """A pattern of the place behind one of the names, and perhaps a particle."""
    return "(?:" + "|".join(f"(?<={name}{joint})" for name in names for joint in ("", "[はがの:：]")) + ")"


def _codes() -> Iterator[Rule]:
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

    def pages(match: re.Match[str]) -> str:
        first, last = match.groups()
        return f"ページ{spoken(first)}" + (f"から{spoken(last)}" if last else "")

    yield "electronic", r"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", address
    yield "electronic", r"(?:https?://|www\.)[A-Za-z0-9._/-]*[A-Za-z0-9/]", address
    yield "phone", r"(?<![\d-])0\d{1,4}(?:-\d{1,4}-\d{3,4}| \d{1,4} \d{4})(?![\d-])", lambda m: digits_joined(m[0])
    yield "phone", r"(?<![\d-])\(0\d{1,4}\)\d{1,4}-\d{4}(?![\d-])", lambda m: digits_joined(m[0])
    yield "phone", r"(?<!\d)0\d{1,3}\(\d{1,4}\)\d{4}(?!\d)", lambda m: digits_joined(m[0])
    yield "phone", r"\+\d{1,3}(?:-\d{1,4}){2,4}(?![\d-])", lambda m: "プラス" + digits_joined(m[0])
    yield "phone", r"(?<![\d-])1-\d{3}-\d{3}-\d{4}(?![\d-])", lambda m: digits_joined(m[0])
    yield "code", rf"{_behind(*_DIGIT_STRINGS)}\d{{3,}}(?![\d,.-]|{_COUNTED_THINGS})", lambda m: digits_joined(m[0])
    yield (
        "code",
        rf"{_behind('番号')}(?:\d{{2,}}(?:-\d{{2,}}){{1,4}}|\d{{5,}})(?![\d,.-])",
        lambda m: digits_joined(m[0]),
    )
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
    yield (
        "address",
        r"(?<=[町村区市条目の])\d{1,4}-\d{1,4}(?![\d-])",
        lambda m: "の".join(spoken(g) for g in m[0].split("-")),
    )
    yield "code", r"(?<![A-Za-z])[Vv](?:er)?\.?\s?(?=\d+\.\d)", lambda m: "バージョン"
    yield "ordinal", r"(?<![A-Za-z])[Pp]{1,2}\.\s?(\d+)(?:\s?[-–〜~]\s?(\d+))?", pages
    yield "ordinal", r"(?:No\.?|№|#)\s?(\d+)", lambda m: "ナンバー" + spoken(m[1])
    yield "ordinal", r"(?<![A-Za-z0-9])B(\d{1,2})(?:F(?![A-Za-z0-9])|階)", lambda m: f"地下{spoken(m[1])}階"
    yield "ordinal", r"(?<![A-Za-z0-9])(\d{1,3})F(?![A-Za-z0-9])", lambda m: f"{spoken(m[1])}階"
    roman = "(?:I{1,3}|I?V|VI{1,3}|IX|XI{1,2})"
    yield "ordinal", rf"(?:(?<=第){roman}(?![A-Za-z])|(?<![A-Za-z]){roman}(?=世))", lambda m: spoken(str(_roman(m[0])))


def _roman(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    numbers = [values[char] for char in text]
    return sum(-n if n < max(numbers[i:]) else n for i, n in enumerate(numbers))


def _dates_and_times() -> Iterator[Rule]:
    def weekday(name: str | None) -> str:
        return f"{name}曜日" if name else ""

    def full_date(match: re.Match[str]) -> str | None:
        year, _, month, day, name = match.groups()
        return date(year, month, day) + weekday(name) if _is_day(month, day) else None

    def short_date(match: re.Match[str]) -> str | None:
        month, day, name = match.groups()
        return f"{spoken(str(int(month)))}月{spoken(str(int(day)))}日{weekday(name)}" if _is_day(month, day) else None

    def later_in_year(match: re.Match[str]) -> str | None:
        """What can be no fraction, as it would be one or more: 4/1から."""
        return short_date(match) if int(match[1]) >= int(match[2]) else None

    def era_date(match: re.Match[str]) -> str | None:
        era, year, month, day = match.groups()
        first = _era_year(year)
        if month is None:
            return _ERAS[era] + first
        return _ERAS[era] + first + date("1", month, day)[2:] if _is_day(month, day) else None

    def year_and_month(match: re.Match[str]) -> str:
        return f"{spoken(match[1])}年{spoken(str(int(match[2])))}月"

    def time(match: re.Match[str]) -> str | None:
        hour, minute, second, half = match.groups()
        if int(hour) > 29 or int(minute) > 59:
            return None
        if half:
            return ("午前" if half.lower().startswith("a") else "午後") + clock(hour, minute, second)
        if second and not _is_clock(match):
            return lasting(hour, minute, second)
        return clock(hour, minute, second)

    yield (
        "date",
        rf"(?<![\d/.-])(?<![A-Za-zン])(\d{{4}})([/.-])(\d{{1,2}})\2(\d{{1,2}})(?![\d/-]|\.\d)(?:{_WEEKDAY})?",
        full_date,
    )
    yield "date", rf"(?<![\d/])(\d{{1,2}})/(\d{{1,2}}){_WEEKDAY}", short_date
    yield "date", rf"(?<![\d/])(\d{{1,2}})/(\d{{1,2}})()(?={_EVENT})", short_date
    yield "date", r"(?<=\d年)\s?(\d{1,2})/(\d{1,2})()(?![\d/])", short_date
    yield "date", r"(?<![\d/])(\d{1,2})/(1[3-9]|2\d|3[01])()(?=まで|から)", short_date
    yield "date", r"(?<![\d/.])(\d{1,2})/(\d{1,2})()(?=から|まで|より|以[降前]|[のはがも、](?!\d))", later_in_year
    yield "date", r"['’](\d\d)(?=年)", lambda m: spoken(m[1])
    yield "date", r"(?<![\d/])(\d{1,2})/(\d{1,2})()(?=[〜~～]\d{1,2}/\d{1,2}(?![\d/]))", short_date
    yield "date", r"(?<=\d[〜~～])(\d{1,2})/(\d{1,2})()(?![\d/])", short_date
    yield "date", r"(?<=[〜~～])(\d{1,2})" + _WEEKDAY, lambda m: f"{spoken(m[1])}日{m[2]}曜日"
    yield "date", r"(?<=日)" + _WEEKDAY, lambda m: f"{m[1]}曜日"
    yield "date", r"(?<![\d/])((?:19|20)\d\d)/(0?[1-9]|1[0-2])(?![\d/])", year_and_month
    yield (
        "date",
        rf"(?<={'|'.join(_ERAS.values())})(\d{{1,2}})\.(\d{{1,2}})\.(\d{{1,2}})(?![\d.])",
        lambda m: date(*m.groups()) if _is_day(m[2], m[3]) else None,
    )
    yield "date", r"(?<![A-Za-z0-9])([MTSHR])(\d{1,2})\.(\d{1,2})\.(\d{1,2})(?![\d.])", era_date
    yield (
        "date",
        r"(?<![A-Za-z0-9])([MTSHR])(\d{1,2})()()年",
        lambda m: _ERAS[m[1]] + _era_year(m[2]),
    )
    yield "time", r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2}))?(?![\d:])(?:\s?([AaPp]\.?[Mm]\.?))?", time
    yield (
        "time",
        r"(?<![A-Za-z])([AaPp])[Mm]\s?(\d{1,2})(?::(\d{2})|時)?(?!\d|\.\d)",
        lambda m: ("午前" if m[1] in "aA" else "午後") + clock(m[2], m[3] or "0"),
    )
    yield (
        "time",
        r"(?<!\d)(\d{1,2})\s?([AaPp])[Mm](?![A-Za-z])",
        lambda m: ("午前" if m[2] in "aA" else "午後") + clock(m[1], "0"),
    )


def _is_clock(match: re.Match[str]) -> bool:
    """Whether h:mm:ss is a time of the day rather than a duration or a record."""
    return bool(_AT_THE_CLOCK.search(match.string[max(0, match.start() - 12) : match.start()])) or bool(
        int(match[1]) < 24
        and _CLOCK_AFTER.match(match.string, match.end())
        and not _RECORD.search(match.string[max(0, match.start() - 12) : match.start()])
    )


def _era_year(year: str) -> str:
    return "元年" if int(year) == 1 else f"{spoken(str(int(year)))}年"


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _amounts() -> Iterator[Rule]:
    def money(match: re.Match[str]) -> str:
        sign, number, large = match.groups()
        whole, _, cents = number.partition(".")
        if len(cents) == 2 and sign in _CENTS and not large:
            part = f"{spoken(str(int(cents)))}{_CENTS[sign]}" if int(cents) else ""
            return f"{spoken(whole)}{_CURRENCIES[sign]}{part}"
        return f"{spoken(number)}{large}{_CURRENCIES[sign]}"

    def measure(match: re.Match[str]) -> str:
        return spoken(match[1]) + _symbols()[match[2]]

    def money_after(match: re.Match[str]) -> str:
        return spoken(match[1]) + match[2] + _CURRENCIES[match[3]]

    symbol = _symbol()
    signed = rf"((?:(?<![\d.,A-Za-z])|(?<=\dm|\dh)|(?<=\d[ck]m|\dkg)){SIGNED})"  # the second: 1m70cm
    yield "money", rf"([{''.join(_CURRENCIES)}])\s?({NUMBER})([万億兆京]?)", money
    yield "money", rf"{_NOT_AFTER}({NUMBER})([万億兆京]?)\s?([$€£₩¥฿₹])(?!\d)", money_after
    yield "measure", rf"{signed}\s?([%‰])", measure
    yield "percent", r"(?<=\d)[%‰]", lambda m: _symbols()[m[0]]
    yield (
        "duration",
        r"(?<![\d.A-Za-z])(\d+)h(\d+)m(?:in)?(?![A-Za-z])",
        lambda m: f"{spoken(m[1])}時間{spoken(m[2])}分",
    )
    yield "measure", rf"{signed}\s?({symbol})(?![A-Za-z²³])", measure
    yield "temperature", rf"{signed}\s?(?:℃|°C)", lambda m: f"{spoken(m[1])}度"
    yield "temperature", rf"{signed}\s?(?:℉|°F)", lambda m: f"華氏{spoken(m[1])}度"
    yield "measure", rf"(?:(?<=[万億兆京十百千⁰¹²³⁴-⁹])|(?<=\^\d))({symbol})(?![A-Za-z²³])", lambda m: _symbols()[m[1]]
    yield "measure", rf"(?<=[\dA-Za-z)]){_POWER}", lambda m: _power(m[0])
    yield "measure", r"(?<=[\dA-Za-z)])\^([-−]?\d{1,3})(?![\d.])", lambda m: f"の{spoken(m[1])}乗"


def _power(superscripts: str) -> str:
    return f"の{spoken(superscripts.translate(_SUPERSCRIPTS))}乗"


def _relations() -> Iterator[Rule]:
    def fraction(match: re.Match[str]) -> str | None:
        whole, above, below = match.groups()
        if not below.strip("0"):
            return None
        return (f"{spoken(whole)}と" if whole else "") + f"{spoken(below)}分の{spoken(above)}"

    def vulgar(match: re.Match[str]) -> str:
        above, below = _VULGAR[match[2]]
        return (f"{spoken(match[1])}と" if match[1] else "") + f"{spoken(str(below))}分の{spoken(str(above))}"

    def term(text: str) -> str:
        root, rest = ("ルート", text[1:]) if text.startswith("√") else ("", text)
        number = rest.rstrip(_POWER_SIGNS)
        return root + spoken(number) + (_power(rest[len(number) :]) if number != rest else "")

    def sum_of(match: re.Match[str]) -> str:
        tokens = re.findall(rf"√?{NUMBER}(?:{_POWER})?|[-−+×÷=*]", match[0])
        result, operand = "", False
        for token in tokens:
            if token in _OPERATORS:
                result += _OPERATORS[token] if operand else "マイナス"
                operand = False
            else:
                result += term(token)
                operand = True
        return result

    operand = rf"√?{NUMBER}(?:{_POWER})?"
    yield "fraction", r"(?<![\d/.,])(?:(\d+)\s)?(\d+)/(\d+)(?![\d/])", fraction
    yield "fraction", rf"(?<!\d)(\d*)([{''.join(_VULGAR)}])", vulgar
    yield (
        "math",
        rf"(?<![\d.,A-Za-z])[-−]?{operand}(?:\s?[-−+×÷*]\s?{operand}){{0,12}}\s?=\s?[-−]?{operand}{_NOT_BEFORE}",
        sum_of,
    )
    yield "math", rf"(?<![\d.,A-Za-z]){operand}(?:\s?[+×÷*]\s?{operand}){{1,12}}{_NOT_BEFORE}", sum_of
    yield "money", r"(?<=ドル|ーロ|ンド|ォン|\d円)\s?=\s?(?=[¥$€]?\d)", lambda m: ""
    yield "math", r"(?<=[\dA-Za-z円%¹²³⁴-⁹)一-鿿ぁ-ヿ])\s?\+\s?(?=[\dA-Za-zα-ω一-鿿ァ-ヿ])", lambda m: "プラス"
    yield "math", r"(?<=[\dA-Za-z¹²³⁴-⁹])\s?×\s?(?=\d)", lambda m: "かける"
    yield "math", r"(?<=[^\s\d])\s?=\s?(?=[-\d])", lambda m: "イコール"
    yield "math", rf"√{NUMBER}", lambda m: term(m[0])
    yield "math", rf"{_NOT_AFTER}{NUMBER}{_POWER}", lambda m: term(m[0])

    def from_to(match: re.Match[str]) -> str:
        low, high, unit = match.groups()
        return f"{spoken(low)}から{spoken(high)}" + (_symbols()[unit] if unit else "")

    def listed(match: re.Match[str]) -> str:
        return "、".join(spoken(one) for one in re.findall(r"\d+", match[0]))

    symbol = _symbol()
    between = rf"(?<![\d.,:-])({NUMBER})\s?[-−〜~]\s?({NUMBER})"
    yield "range", rf"{between}\s?({symbol})(?![A-Za-z0-9²³])", from_to
    yield "range", rf"{between}()(?![\d:-]){_COUNTER}", from_to
    yield "range", r"(?:(?<=\d:\d\d)|(?<=\d[AaPp][Mm]))[-−](?=\d{1,2}:\d\d)", lambda m: "から"
    yield "range", r"(?<=[^\s、。])[〜~～](?=(?:第|午前|午後|翌日?|[AaPp][Mm])?[-+¥$€]?\d)", lambda m: "から"
    yield "range", r"(?<=[年月日時分])(?:[〜~～]|[-−](?=\d))", lambda m: "から"
    yield "approx", r"(?<![\d,.])\d{1,2}(?:,\s?\d{1,2})+(?![\d,])", listed
    yield (
        "score",
        rf"(?<![\d:-]){INTEGER}(?:[-−]{INTEGER}|(?::{INTEGER}){{1,4}})(?![\d:-])",
        lambda m: "対".join(spoken(one) for one in re.split(r"[-−:]", m[0])),
    )


def _symbol() -> str:
    """A pattern for any symbol, the longest first; a digit at its end belongs to it: 5m2, but 5m20cm and 5m2枚."""
    names = sorted(_symbols(), key=len, reverse=True)
    return "|".join(re.escape(one) + (r"(?![\d枚本個人回台])" if one[-1].isdigit() else "") for one in names)


@cache
def _symbols() -> dict[str, str]:
    return dict(line.split() for line in lines_of(__package__, "symbols.txt"))
