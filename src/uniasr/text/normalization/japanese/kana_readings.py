"""Readings of numerals and counters in kana (`kana_numerals.txt`, `kana_units.txt`), as patterns and back to kanji."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from uniasr.text.kana import hiragana
from uniasr.text.normalization.tables import lines_of

_LONG_VOWELS = (("ゅー", "ゅう"), ("ょー", "ょう"), ("れー", "れい"), ("せー", "せい"), ("とー", "とお"))


def folded(source: str) -> str:
    """The text in hiragana with its long vowels spelled as in the tables; every character keeps its place."""
    text = hiragana(source)
    for pronounced, spelled in _LONG_VOWELS:
        text = text.replace(pronounced, spelled)
    return text


@dataclass(frozen=True, slots=True)
class Counter:
    """How a counter is written, and whether a single numeral before it is enough."""

    written: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Patterns:
    """What the rules look for in a folded text."""

    start: re.Pattern[str]
    """Where a number may begin."""
    number: re.Pattern[str]
    quantity: re.Pattern[str]
    """Groups: `number` (`whole` with the decimals `part`) and `unit`."""
    day: re.Pattern[str]
    code: re.Pattern[str]
    """Digits one by one, in groups joined by の."""
    digits: re.Pattern[str]
    """Digits one by one, as decimals are read: no し and く."""


@cache
def counters() -> dict[str, Counter]:
    """Counters by their readings."""
    table: dict[str, Counter] = {}
    for line in lines_of(__package__, "kana_units.txt"):
        sureness, text, *readings = line.split()
        for reading in readings:
            table.setdefault(reading, Counter(text, sureness == "sure"))
    return table


@cache
def patterns() -> Patterns:
    """Compiled when a text first needs them."""
    ones, ten = _any(_table("one"), _table("clipped")), _any(_clipped(_table("ten")))
    digit = _any(_table("one"), _table("zero"), _table("stretched"))
    slow = {reading for reading in _table("one") if reading not in ("し", "く")}
    slow_digit = _any(slow, _table("zero"), _table("stretched"))
    section = f"(?:{_any(_table('thousand'))})?(?:{_any(_clipped(_table('hundred')))})?(?:{ten})?(?:{ones})?"
    trillions = f"(?:{section}ちょう(?=えん|どる|ゆーろ|{section}[おま]))?"  # not に ちょうど
    number = f"{trillions}(?:{section}おく)?(?:{section}まん)?{section}"
    zero = _any(_table("zero"))
    whole = f"(?P<whole>{number}|{zero})"
    unit = "|".join(sorted(counters(), key=len, reverse=True))
    return Patterns(
        start=re.compile(r"(?=[いにさよしごろなはきくぜれじひせま])(?<!っ)"),
        number=re.compile(f"(?:{zero}|{number})(?!ー)"),
        quantity=re.compile(
            f"(?P<number>{whole}(?:てん(?P<part>(?:{digit}){{1,8}}))?)(?P<unit>{unit})(?![ゃゅょっんー])"
        ),
        day=re.compile(_any(_table("day"))),
        code=re.compile(f"(?:{slow_digit}){{2,12}}(?:の(?:{slow_digit}){{2,8}}){{0,3}}"),
        digits=re.compile(f"(?:{slow_digit}){{1,8}}"),
    )


def numerals(reading: str) -> str:
    """A reading as kanji numerals: にじゅうはっ -> 二十八."""
    table, pattern = _morphemes()
    return "".join(table[morpheme] for morpheme in pattern.findall(reading))


def day(reading: str) -> str:
    """The number of a day of the month with a reading of its own."""
    return _table("day")[reading]


@cache
def _morphemes() -> tuple[dict[str, str], re.Pattern[str]]:
    names = ("zero", "stretched", "one", "clipped", "large", "thousand")
    table = {reading: numeral for name in names for reading, numeral in _table(name).items()}
    for name in ("hundred", "ten"):
        for form in _clipped(_table(name)):
            numeral = _table(name).get(form) or _table(name).get(form[:-1] + "く") or _table(name).get(form[:-1] + "う")
            table[form] = numeral or _table(name)[form[:-2] + "じゅう"]  # じっ for じゅっ
    return table, re.compile(_any(table))


@cache
def _table(name: str) -> dict[str, str]:
    """Numerals by their readings."""
    lines = [line.split() for line in lines_of(__package__, "kana_numerals.txt")]
    entries = next(entries for first, *entries in lines if first == name)
    return {reading: numeral for numeral, reading in (entry.split("=") for entry in entries)}


def _clipped(table: dict[str, str]) -> set[str]:
    """The readings, and those that end in っ before a counter."""
    clipped = {reading[:-1] + "っ" for reading in table}
    return {*table, *clipped, *(reading[:-3] + "じっ" for reading in table if reading.endswith("じゅう"))}


def _any(*tables: dict[str, str] | set[str]) -> str:
    """A pattern for any of the readings, longest first. じっ is no ten before け, さ and so on (実験, 実際)."""
    forms = sorted({reading for table in tables for reading in table}, key=len, reverse=True)
    return "(?:" + "|".join(form + "(?![かけさしせ])" if form.endswith("じっ") else form for form in forms) + ")"
