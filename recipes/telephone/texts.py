"""Sentences of callers who read out numbers: text for a synthesiser, one a line, in random digits and letters.

python texts.py > texts.txt
"""

from __future__ import annotations

import random
from collections.abc import Callable

DIGITS = "ゼロ イチ ニー サン ヨン ゴー ロク ナナ ハチ キュー"
LETTERS = "エー ビー シー ディー イー エフ ジー エイチ ケー エム エヌ ピー キュー アール エス ティー ブイ エックス ワイ"
COUNT = 130


def sentences(random: random.Random) -> list[str]:
    """COUNT sentences, the frames in turn."""
    names, letters = DIGITS.split(), LETTERS.split()

    def digits(count: int) -> str:
        return "".join(random.choice(names) for _ in range(count))

    def phone() -> str:
        return f"ゼロ{random.choice(['キュー', 'ハチ', 'ナナ'])}ゼロの、{digits(4)}の、{digits(4)}"

    def post() -> str:
        return f"{digits(3)}の、{digits(4)}"

    def code() -> str:
        return f"{random.choice(letters)}{random.choice(letters)}、{digits(3)}の、{digits(3)}"

    def card() -> str:
        return f"{digits(4)}、{digits(4)}"

    frames: list[tuple[str, Callable[[], str]]] = [
        ("電話番号は、{}です。", phone),
        ("折り返しは、{}までお願いします。", phone),
        ("郵便番号は、{}です。", post),
        ("注文番号は、{}です。", code),
        ("ご予約番号を申し上げます、{}。", code),
        ("会員番号、{}の者です。", card),
        ("{}で、登録してあります。", phone),
        ("製品の型番が、{}なんですが。", code),
        ("下八桁は、{}です。", card),
        ("{}に、送ってください。", post),
    ]
    lines = []
    for i in range(COUNT):
        frame, number = frames[i % len(frames)]
        lines.append(frame.format(number()))
    return lines


if __name__ == "__main__":
    print("\n".join(sentences(random.Random(7))))
