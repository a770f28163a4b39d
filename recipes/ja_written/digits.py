"""Sentences with numbers that are read out digit by digit, of which the corpora have next to none.

Telephone numbers, codes, years and decimals sound ゼロキューゼロノイチニーサンヨン: without such sentences the
model writes 兄さん where ニーサン stands among digits. A carrier has 三 where the number belongs; it is analysed as any
other sentence is, then its 三 become the digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

COUNT, SEED = 600, 11
HOLDER = "三/サン/名詞-数"
"""What the analysis makes of 三."""
READINGS = {
    "〇": (("ゼロ", 0.9), ("マル", 0.05), ("レー", 0.05)),
    "一": (("イチ", 1.0),),
    "二": (("ニー", 0.6), ("ニ", 0.4)),
    "三": (("サン", 1.0),),
    "四": (("ヨン", 1.0),),
    "五": (("ゴー", 0.6), ("ゴ", 0.4)),
    "六": (("ロク", 1.0),),
    "七": (("ナナ", 0.97), ("シチ", 0.03)),
    "八": (("ハチ", 1.0),),
    "九": (("キュー", 1.0),),
}
"""How each digit is read, and how often."""
GROUPS = ((3, 4, 4), (2, 4, 4), (4, 3, 3), (3, 4), (4, 4), (3, 3), (3,), (4,), (5,), (6,), (7,), (8,), (10,), (11,))
"""Digits between one の and the next."""
CARRIERS = (
    "電話番号は三です。",
    "携帯の番号は三です。",
    "三にお電話ください。",
    "三まで折り返しお願いします。",
    "連絡先は三になります。",
    "郵便番号は三です。",
    "三に送ってください。",
    "暗証番号は三です。",
    "暗証番号を三に変えた。",
    "口座番号は三です。",
    "会員番号が三の者ですが。",
    "お客様番号は三ですね。",
    "注文番号は三です。",
    "注文番号三についてお聞きします。",
    "予約番号は三です。",
    "伝票番号三の荷物が届きません。",
    "お問い合わせ番号は三です。",
    "受付番号は三でした。",
    "登録番号三を控えてください。",
    "製品番号は三です。",
    "型番は三ですが。",
    "内線三をお願いします。",
    "部屋は三号室です。",
    "三便に乗ります。",
    "コードは三です。",
    "パスワードに三と入力してください。",
    "下四桁は三です。",
    "頭が三の番号です。",
    "車のナンバーは三だった。",
    "番号を読み上げます、三です。",
    "もう一度言いますと三です。",
    "三で間違いありませんか。",
    "三ではなく三です。",
    "宝くじの当たりは三だった。",
    "三、三、三の順に押してください。",
)
YEARS = ("三年に生まれた。", "三年のことです。", "それは三年に始まった。", "三年度の予算です。", "三年の春に卒業した。")
DECIMALS = ("円周率は三点三です。", "三点三パーセント増えた。", "視力は三点三です。", "三点三秒でした。")

Analyse = Callable[[str], str]


def sentences(analysed: Analyse) -> Iterator[str]:
    """The words of each sentence, as `analyse.py` writes them."""
    random = np.random.default_rng(SEED)
    for _ in range(COUNT):
        kind = random.choice(["groups", "year", "decimal"], p=[0.8, 0.12, 0.08])
        if kind == "groups":
            carrier, sizes = random.choice(CARRIERS), GROUPS[random.integers(len(GROUPS))]
            carrier = carrier.replace("三", "の".join("三" * len(sizes)), 1)
        else:
            carrier, sizes = random.choice(YEARS if kind == "year" else DECIMALS), (4,) if kind == "year" else (1, 3)
        yield filled(analysed(str(carrier)), sizes, random)


def filled(words: str, sizes: tuple[int, ...], random: np.random.Generator) -> str:
    """The words with digits for the first of their 三, as many for each as `sizes` says; the others get one."""
    out, left = [], list(sizes)
    for word in words.split(" "):
        if word == HOLDER:
            out += [digit(random) for _ in range(left.pop(0) if left else 1)]
        else:
            out.append(word)
    return " ".join(out)


def digit(random: np.random.Generator) -> str:
    """Any digit in one of its readings."""
    surface = str(random.choice(list(READINGS)))
    readings, shares = zip(*READINGS[surface], strict=True)
    return f"{surface}/{random.choice(readings, p=shares)}/名詞-数"
