"""Korean numerals: Sino-Korean (일, 이, 삼; 십, 백, 천; 만, 억, 조) and native (하나, 둘; 열, 스물)."""

from __future__ import annotations

import re

DIGITS = {char: value for value, char in enumerate("영일이삼사오육칠팔구")} | {"공": 0, "륙": 6}
LARGE = {"경": 10**16, "조": 10**12, "억": 10**8, "만": 10**4}
SINO = "".join(DIGITS) + "십백천" + "".join(LARGE)
_ONES = {"한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5}
_ONES |= {"여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9}
_TENS = {"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50}
_TENS |= {"예순": 60, "일흔": 70, "여든": 80, "아흔": 90}

_ONE = "|".join(sorted(_ONES, key=len, reverse=True))
_TEN = "|".join(_TENS)
NATIVE = f"(?:(?:{_TEN})(?:{_ONE})?|{_ONE})"
"""A pattern for native numbers below a hundred."""
_NATIVE = re.compile(f"({_TEN})?({_ONE})?")
_DIGIT = "([일이삼사오육륙칠팔구]?)"
_SECTION = re.compile(f"(?:{_DIGIT}천)?(?:{_DIGIT}백)?(?:{_DIGIT}십)?{_DIGIT}")


def digit_string(run: str) -> str | None:
    """Digits one by one, None if there is anything else."""
    return "".join(str(DIGITS[char]) for char in run) if run and all(char in DIGITS for char in run) else None


def sino(run: str) -> int | None:
    """The value of a Sino-Korean number, None where it is none. Digit strings have no value, single digits have."""
    if run in DIGITS:
        return DIGITS[run]
    rest, total = run, 0
    for unit, power in LARGE.items():
        head, found, tail = rest.partition(unit)
        if not found:
            continue
        amount = _section(head) if head else 1
        if not amount:
            return None
        total += amount * power
        rest = tail
    last = _section(rest) if rest else 0
    return None if last is None else total + last


def native(run: str) -> int:
    """The value of a native number that `NATIVE` has matched."""
    match = _NATIVE.fullmatch(run)
    assert match is not None
    return _TENS.get(match[1] or "", 0) + _ONES.get(match[2] or "", 0)


def _section(run: str) -> int | None:
    match = _SECTION.fullmatch(run)
    if match is None:
        return None
    units = zip(match.groups(), (1000, 100, 10, 1), strict=True)
    return sum((DIGITS[char] if char else int(unit > 1)) * unit for char, unit in units if char is not None)
