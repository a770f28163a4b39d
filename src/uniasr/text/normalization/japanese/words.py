"""Words that hold numerals and stay as they are (`words.txt`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from uniasr.text.normalization.japanese.numerals import NUMERALS
from uniasr.text.normalization.lattice import Candidate
from uniasr.text.normalization.tables import lines_of

WORD_COST = 0.4
"""Less than a conversion: of a word and a number over the same characters the word wins."""

_ENDINGS = (
    # places, after trees, houses, fields, markets, streets and shores
    "本(?:木|松|柳|杉|榎)|軒(?:家|屋|茶屋|店|駅)|反[田野町]|日[市町]|番[町丁](?!目)|丁堀|丁畷",
    "条(?:通|大橋|河原|大路)|里[ヶケがガ](?=[一-鿿])|里浜|里越",
    # people whose names read like a count
    "(?:瓶|階|枝|品|本|室|里|反|株|時|巻|束|坪)(?:さん|氏|選手|監督|投手|先生)|条(?:家|院|さん|氏)",
    # forms, memorial days, grammar, music, and what else is built on a numeral
    "面体|角形|等辺|次元|頭身|頭筋|回忌|周忌|段活用|人称|重奏|重唱|元論|元号|元老|字架|字路|面鳥|百合",
    # companies of warriors and singers, haircuts, degrees of bloom
    "人衆|人娘|本槍|部合唱|部合奏|[分厘]刈り|分通り",
    "分(?=[すしさせ][るたてれず])",
)
_FAMILIES = re.compile(
    rf"(?<![{NUMERALS}])[一二三四五六七八九十千]+(?:{'|'.join(_ENDINGS)})|"
    rf"(?<=[一-鿿])(?<![東西南北{NUMERALS}])[一二三四五六七八九十]+丁目駅|(?<![{NUMERALS}])(?:"
    r"[一二三四五六七八九十百千万]{2,}[田村野川原島井谷沢]?(?:さん|ちゃん|くん|君|先生)|[一二三四五六七八九]{2,}(?:氏|選手|監督|投手))|"
    r"(?<=[東西南北州圏県域岸市内方])一円(?=[にでのをはへ])|一([一-鿿]{1,2})一\1|[二三五]枚に(?:おろ|卸|下ろ)|"
    r"(?<!時)一分一秒|[正従][一二三四五六七八]位|第[一二三四五六七八九](?:の(?=[一-鿿ァ-ヴ])|に)|"
    r"(?:一九|二八|三七|四六|五五|六四|七三|八二|九一)(?:分け|の割合|[にで](?:分|割))|[一十百千万]の位|"
    rf"(?<![{NUMERALS}])[一二三四五六七八九]の(?:丸|宮|鳥居|滝|酉|膳|橋|糸|矢|腕|舞)|"
    r"一[一-鿿]{1,2}たりとも|十分な(?![らのん])|[二三]枚目(?=の?(?:俳優|役|男優|スター|キャラ)|を演|路線)|一周(?=[すしさせ旅])|(?<=[界本内国島州道])一周(?![年目])"
)
"""Families of words too large to list."""
_VALUED = re.compile("(?:[秒円度点分]|(?:番号|偏差値)は?)$")
"""What a value follows: 十一秒四三 holds no 四三, which is a name elsewhere."""


def protected_words(source: str) -> Iterator[Candidate]:
    """Every packaged word and member of a family in the text that does not cut a run of numerals in two."""
    words, lengths = _words()
    for start in range(len(source)):
        if start and source[start] in NUMERALS and source[start - 1] in NUMERALS:
            continue
        for length in lengths.get(source[start], ()):
            end = start + length
            if source[start:end] in words and not _cuts(source, end) and not _is_value(source, start, end):
                yield Candidate(start, end, WORD_COST)
    for match in _FAMILIES.finditer(source):
        yield Candidate(match.start(), match.end(), WORD_COST)


def _cuts(source: str, end: int) -> bool:
    return end < len(source) and source[end - 1] in NUMERALS and source[end] in NUMERALS


def _is_value(source: str, start: int, end: int) -> bool:
    """Whether a word of numerals alone is a number after all."""
    return all(char in NUMERALS for char in source[start:end]) and bool(_VALUED.search(source[:start]))


@cache
def _words() -> tuple[frozenset[str], dict[str, tuple[int, ...]]]:
    """The words, and by first character the lengths that they have."""
    words = frozenset(word for line in lines_of(__package__, "words.txt") for word in line.split())
    lengths: dict[str, set[int]] = {}
    for word in words:
        lengths.setdefault(word[0], set()).add(len(word))
    return words, {first: tuple(sorted(found)) for first, found in lengths.items()}
