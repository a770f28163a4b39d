"""How written numbers are spoken: the pieces that the TN rules put together."""

from __future__ import annotations

import re

from uniasr.text.normalization.japanese.numerals import spoken_digits, spoken_integer

INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
NUMBER = rf"(?:{INTEGER}(?:\.\d+)?)"
SIGNED = rf"(?:[-−+±]?{NUMBER})"
SIGNS = {"-": "マイナス", "−": "マイナス", "+": "プラス", "±": "プラスマイナス"}


def spoken(text: str) -> str:
    """A number with an optional sign, thousands separators and decimals: -1,234.5 -> マイナス千二百三十四点五.

    Whole numbers with a leading zero are read digit by digit (4021 is a number, 0421 a code).
    """
    sign = SIGNS.get(text[0], "")
    whole, point, fraction = text.lstrip("".join(SIGNS)).replace(",", "").partition(".")
    read = spoken_digits(whole) if len(whole) > 1 and whole[0] == "0" else spoken_integer(whole)
    return sign + read + (f"点{spoken_digits(fraction)}" if point else "")


def spoken_alone(text: str) -> str:
    """A number without a unit: a bare 0 is ゼロ."""
    return "ゼロ" if text == "0" else spoken(text)


def digits_joined(text: str, joint: str = "の") -> str:
    """Groups of digits read one by one: 03-1234 -> 零三の一二三四."""
    return joint.join(spoken_digits(group) for group in re.findall(r"\d+", text))


def date(year: str, month: str, day: str) -> str:
    """A date of decimal fields."""
    return f"{spoken(year)}年{spoken(str(int(month)))}月{spoken(str(int(day)))}日"


def clock(hour: str, minute: str, second: str | None = None) -> str:
    """A time of the day; zero minutes and seconds are not read."""
    read = f"{spoken(str(int(hour)))}時"
    second = second if second and int(second) else None
    if int(minute) or second:
        read += f"{spoken(str(int(minute)))}分"
    return read + (f"{spoken(str(int(second)))}秒" if second else "")


def lasting(hours: str, minutes: str, seconds: str) -> str:
    """A duration h:mm:ss."""
    parts = zip((hours, minutes, seconds), ("時間", "分", "秒"), strict=True)
    return "".join(f"{spoken(str(int(amount)))}{unit}" for amount, unit in parts)
