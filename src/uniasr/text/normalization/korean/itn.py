"""Korean inverse text normalisation: numbers, dates, times, money, measures and telephone numbers at word starts.

Amounts are written with all their digits (십이만 -> 120000), times as h:mm, money with its sign before (이십불 -> $20),
measures with a blank (삼 톤 -> 3 t). A number without a unit needs several numerals with a 십, 백, 천 or larger among
them, because single ones are syllables of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from uniasr.text.normalization.korean.numerals import NATIVE, SINO, digit_string, native, sino
from uniasr.text.normalization.lattice import Candidate, cheapest
from uniasr.text.normalization.records import Piece
from uniasr.text.normalization.tables import lines_of

COST = 0.5
_NUMBER = f"[{SINO}]+"
_DIGIT = "[공영일이삼사오육륙칠팔구]"
_DECIMAL = rf"(?:{_NUMBER}\s?점\s?{_DIGIT}+[만억조]?)"
_END = (
    r"(?=$|[^가-힣]|(?:은|는|이|가|을|를|에|에서|의|도|로|으로|와|과|까지|부터|마다|보다|만|씩|쯤|정도|이나|나|라|이라|이다|다|입니다|였다|"
    r"이었다|예요|이에요|짜리|이상|이하|미만|뒤|후|전|간|째|동안|반)(?:$|[^가-힣]|[가-힣]))"
)
_MONTHS = {"유월": "6", "시월": "10"}

Reading = Callable[[re.Match[str]], "str | None"]


def itn_pieces(source: str) -> list[Piece]:
    """What changes in the source, in order."""
    candidates: list[Candidate] = []
    for kind, pattern, reading in _rules():
        for match in pattern.finditer(source):
            text = reading(match)
            if text is not None:
                piece = Piece(match.start(), match.end(), text, kind)
                candidates.append(Candidate(match.start(), match.end(), COST, (piece,)))
    return [piece for candidate in cheapest(len(source), candidates) for piece in candidate.pieces]


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str], Reading], ...]:
    return tuple((kind, re.compile(r"(?<![가-힣])" + pattern), reading) for kind, pattern, reading in _table())


@cache
def _units(group: str) -> dict[str, str]:
    """Written forms of the units of a group, by their spoken forms."""
    lines = [line.split() for line in lines_of(__package__, "units.txt")]
    return dict(entry.split("=") for name, *entries in lines if name == group for entry in entries)


def _any(group: str) -> str:
    return f"(?:{'|'.join(sorted(_units(group), key=len, reverse=True))})"


def _table() -> Iterator[tuple[str, str, Reading]]:
    """Kind, pattern (from a word's start) and reading of every rule; of equally wide readings the first one wins."""
    yield (
        "date",
        rf"(?P<y>{_NUMBER})년(?:\s?(?P<m>{_NUMBER}월|유월|시월))?(?:\s?(?P<d>{_NUMBER})일(?!간))?{_END}",
        _date,
    )
    yield "date", rf"(?P<y>)(?P<m>{_NUMBER}월|유월|시월)\s?(?P<d>{_NUMBER})일{_END}", _date
    yield "date", rf"(?P<y>)(?P<m>{_NUMBER}월|유월|시월)(?P<d>){_END}", _date
    yield "time", rf"({NATIVE})\s?시(?!도)(?:\s?(?:({_NUMBER})\s?분|(반)))?(?:\s?({_NUMBER})\s?초)?{_END}", _time
    yield "phone", rf"[공영]{_DIGIT}+(?:(?:에|\s){_DIGIT}+){{1,3}}{_END}", _phone
    yield "phone", rf"[공영]{_DIGIT}{{6,}}{_END}", lambda m: digit_string(m[0])
    number = rf"(?:(?P<whole>{_NUMBER})(?:과|와)\s?)?"
    yield (
        "fraction",
        rf"{number}(?P<root>루트)?(?P<below>{_NUMBER})분의\s?(?P<above>{_DECIMAL}|{_NUMBER}){_END}",
        _fraction,
    )
    yield "money", rf"(?P<n>{_DECIMAL}|{_NUMBER})\s?(?P<unit>{_any('money')}){_END}", _money
    yield "measure", rf"(?P<n>{_DECIMAL}|{_NUMBER})\s?(?P<unit>{_any('measure')}){_END}", _measure
    yield "counter", rf"(?P<n>{_DECIMAL}|{_NUMBER})(?P<gap>\s?)(?P<unit>{_any('sino')}){_END}", _counter
    yield "counter", rf"(?P<n>[{SINO}]*[십백천만]{_DIGIT}?)(?P<gap>\s?)(?P<unit>{_any('native')}){_END}", _counter
    yield "ordinal", rf"(첫|{NATIVE}|{_NUMBER})(\s?번째)", _ordinal
    yield "counter", rf"(?!한번)({NATIVE})(\s?)({_any('native')}){_END}", lambda m: f"{native(m[1])}{m[2]}{m[3]}"
    yield "decimal", rf"(?:마이너스\s)?{_DECIMAL}{_END}", _signed
    yield "cardinal", rf"(?:마이너스\s|-\s){_NUMBER}{_END}", _signed
    yield "cardinal", rf"{_NUMBER}{_END}", _cardinal


def _amount(run: str) -> str | None:
    """A number with decimals, all digits written; 만 억 조 stay after decimals."""
    whole, point, part = re.sub(r"\s", "", run).partition("점")
    value = sino(whole)
    if value is None:
        return digit_string(whole) if not point else None
    if not point:
        return str(value)
    large = part[-1] if part[-1] in "만억조" else ""
    return f"{value}.{digit_string(part.removesuffix(large))}{large}"


def _date(match: re.Match[str]) -> str | None:
    year = _amount(match["y"]) if match["y"] else ""
    month = _MONTHS.get(match["m"]) or _amount(match["m"][:-1]) if match["m"] else ""
    day = _amount(match["d"]) if match["d"] else ""
    if year is None or month is None or day is None or (match["y"] and len(match["y"]) == 1 and not month):
        return None
    if not year and not day and match["m"] not in _MONTHS and len(match["m"]) < 2:
        return None
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    fields = ((year, "년"), (month, "월"), (day, "일"))
    return "".join(f"{amount}{unit}" for amount, unit in fields if amount)


def _time(match: re.Match[str]) -> str | None:
    hour, minute, half, second = match.groups()
    minutes, seconds = (sino(minute) if minute else 30 if half else 0), (sino(second) if second else None)
    if native(hour) > 24 or minutes is None or minutes > 59 or (second and seconds is None):
        return None
    return f"{native(hour)}:{minutes:02d}" + (f":{seconds:02d}" if seconds is not None else "")


def _phone(match: re.Match[str]) -> str | None:
    groups = [digit_string(group) or "" for group in re.split(r"에|\s", match[0])]
    return "-".join(groups) if 7 <= sum(map(len, groups)) <= 12 else None


def _fraction(match: re.Match[str]) -> str | None:
    whole, below, above = (match[name] and _amount(match[name]) for name in ("whole", "below", "above"))
    if not below or not above or (match["whole"] and not whole):
        return None
    return (f"{whole} " if whole else "") + f"{above}/{'√' if match['root'] else ''}{below}"


def _money(match: re.Match[str]) -> str | None:
    amount = _amount(match["n"])
    return None if amount is None else _units("money")[match["unit"]] + amount


def _measure(match: re.Match[str]) -> str | None:
    amount = _amount(match["n"])
    return None if amount is None else f"{amount} {_units('measure')[match['unit']]}"


def _counter(match: re.Match[str]) -> str | None:
    """A single numeral counts only with a blank or a long unit (이 층, 삼개월): 이번, 일일, 사회 are words."""
    run, gap, unit = match["n"], match["gap"], match["unit"]
    amount = _amount(run)
    sure = len(run) > 1 or gap or len(unit) > 1
    if amount is None or not sure or (gap and "점" not in run and sino(run) is None):
        return None
    return f"{amount}{gap}{unit}"


def _ordinal(match: re.Match[str]) -> str | None:
    run = match[1]
    value = 1 if run == "첫" else native(run) if re.fullmatch(NATIVE, run) else sino(run)
    return None if value is None else f"{value}{match[2]}"


def _signed(match: re.Match[str]) -> str | None:
    sign = match[0].startswith(("마이너스", "-"))
    amount = _amount(re.sub(r"^(?:마이너스\s|-\s)", "", match[0]))
    return None if amount is None else ("-" if sign else "") + amount


def _cardinal(match: re.Match[str]) -> str | None:
    """A bare number: of three numerals and more, or of two like 오십 and 삼만, or the whole text."""
    run = match[0]
    alone = match.start() == 0 and match.end() == len(match.string)
    if not re.search("[십백천만억조경]", run):
        return digit_string(run) if len(run) > 3 else None
    round_number = re.fullmatch("[이삼사오육칠팔구][십백천만억]", run) and run not in ("이만", "사천", "이천")
    number = sino(run) if len(run) > 2 or round_number or (alone and len(run) > 1) else None
    return None if number is None else str(number)
