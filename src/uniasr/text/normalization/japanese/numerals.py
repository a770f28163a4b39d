"""Japanese numerals in kanji: what a run of them means, and how it is written with digits.

Digits are half-width. Below ten thousand a number is plain digits (1500); from there on the units 万 億 兆 京 stay
between groups of digits (1万2300, 3億4567万8900). Digit strings (〇九〇, 二〇二三) keep every digit.
"""

from __future__ import annotations

import re

DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
SMALL_UNITS = {"十": 10, "百": 100, "千": 1000}
LARGE_UNITS = "京兆億万"
NUMERALS = "".join(DIGITS) + "".join(SMALL_UNITS) + LARGE_UNITS

_D = f"[{''.join(DIGITS)}]"
_DIGIT = "([一二三四五六七八九]?)"
_SECTION = re.compile(f"(?:{_DIGIT}千)?(?:{_DIGIT}百)?(?:{_DIGIT}十)?{_DIGIT}")
_PAIR = re.compile(rf"([{NUMERALS}]*?)([一二三四五六七八])([二三四五六七八九])([十百千]?[万億兆京]?)")
DIGIT_STRING = re.compile(rf"{_D}+")


def written(run: str) -> str | None:
    """A run of numerals with digits, None where it is no single number.

    `千五百` -> 1500, `一億二千万` -> 1億2000万, `二〇二三` -> 2023, `〇九〇` -> 090; `万` and `三二百` are none.
    """
    if DIGIT_STRING.fullmatch(run):
        return digits(run)
    rest, groups = run, []
    for unit in LARGE_UNITS:
        head, found, tail = rest.partition(unit)
        if not found:
            continue
        value = _section(head)
        if not value:
            return None
        groups.append(f"{value}{unit}")
        rest = tail
    if not rest:
        return "".join(groups)
    value = _section(rest)
    return None if not value else "".join(groups) + str(value)


def digits(run: str) -> str:
    """A digit string, digit by digit."""
    return "".join(str(DIGITS[char]) for char in run)


def value(text: str) -> int:
    """The number that a written form means: 2万300 -> 20300."""
    powers = {"": 0, "万": 4, "億": 8, "兆": 12, "京": 16}
    return sum(int(amount) * 10 ** powers[unit] for amount, unit in re.findall(r"(\d+)([万億兆京]?)", text))


def approximate(run: str) -> str | None:
    """An approximate pair like 二三 (2、3), 四五十 (4、50), 百二三十 (120、30); None where it is none."""
    match = _PAIR.fullmatch(run)
    if match is None:
        return None
    head, low, high, unit = match.groups()
    if DIGITS[high] != DIGITS[low] + 1 or (head and head[-1] in DIGITS):
        return None
    second = written(high + unit)
    first = written(head + low + unit) if head else str(DIGITS[low])
    return None if first is None or second is None else f"{first}、{second}"


def spoken_integer(text: str) -> str:
    """Decimal digits as a number in kanji: 1500 -> 千五百, 10000 -> 一万, 0 -> 零; no leading zeros expected.

    Beyond 京 (10^20) the digits are read one by one.
    """
    if len(text) > 20:
        return spoken_digits(text)
    groups = [text[max(0, end - 4) : end] for end in range(len(text), 0, -4)]
    parts = []
    for group, unit in zip(groups, ("", "万", "億", "兆", "京"), strict=False):
        spoken = _spoken_section(int(group))
        if spoken:
            parts.append(("一千" if spoken == "千" and unit not in ("", "万") else spoken) + unit)
    return "".join(reversed(parts)) or "零"


def spoken_digits(text: str, zero: str = "零") -> str:
    """Digits one by one."""
    return "".join(zero if char == "0" else "〇一二三四五六七八九"[int(char)] for char in text)


def _section(run: str) -> int | None:
    """The value of a number below 10000 (0: an empty run), composed or as up to four digits."""
    if DIGIT_STRING.fullmatch(run):
        return int(digits(run)) if len(run) <= 4 else None
    match = _SECTION.fullmatch(run)
    if match is None:
        return None
    total = 0
    for char, unit in zip(match.groups(), (1000, 100, 10, 1), strict=True):
        if char is not None:
            total += (DIGITS[char] if char else int(unit > 1)) * unit
    return total


def _spoken_section(number: int) -> str:
    parts = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            parts += ("" if digit == 1 and name else "〇一二三四五六七八九"[digit]) + name
    return parts
