"""Mail and web addresses that were spelled aloud: エービーシーアットマークジーメールドットコム -> abc@gmail.com."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from uniasr.text.kana import katakana
from uniasr.text.normalization.japanese.numerals import DIGITS
from uniasr.text.normalization.lattice import Candidate
from uniasr.text.normalization.records import Piece
from uniasr.text.normalization.tables import lines_of

ADDRESS_COST = 0.3
_DIGITS = {kanji: str(digit) for kanji, digit in DIGITS.items()}
_JOINTS = {"ドット": ".", "ハイフン": "-", "アンダーバー": "_", "アンダースコア": "_"}
_TOP_LEVEL = frozenset(
    {"com", "net", "org", "info", "jp", "io", "dev", "ai", "tv", "me", "us", "uk", "edu", "gov", "app", "biz"}
)


_SIGNS = {**_JOINTS, "スラッシュ": "/", "コロン": ":", "アットマーク": "@", "アット": "@"}
_SCRIPTS = ("[A-Za-z0-9]{2}", "[ァ-ヴー]{2}", "[ぁ-ゖー]{2}")


def addresses(source: str) -> Iterator[Candidate]:
    """Candidates for whole addresses. A web address needs a scheme, www, or a known top-level domain."""
    if "ット" not in source and "っと" not in source:
        return
    folded = katakana(source)
    mail, web, _ = _patterns()
    for match in mail.finditer(folded):
        if _inside_word(source, folded, match.start()):
            continue
        yield _candidate(match, _written(match[0]))
    for match in web.finditer(folded):
        text = _written(match[0])
        host = re.sub(r"^https?://", "", text).split("/")[0]
        if _inside_word(source, folded, match.start()):
            continue
        if match["scheme"] or host.startswith("www.") or host.split(".")[-1] in _TOP_LEVEL:
            yield _candidate(match, text)


def _inside_word(source: str, folded: str, start: int) -> bool:
    """Whether what stands before belongs to the same word, as far as the scripts tell, or to the same address."""
    if folded.endswith(tuple(_SIGNS), 0, start):
        return True
    around = source[max(0, start - 1) : start + 1]
    return around[:1] not in tuple("はわがもをハワガモヲ") and any(re.fullmatch(two, around) for two in _SCRIPTS)


def _candidate(match: re.Match[str], text: str) -> Candidate:
    return Candidate(match.start(), match.end(), ADDRESS_COST, (Piece(match.start(), match.end(), text, "electronic"),))


def _written(spelled: str) -> str:
    """Letter names, digits and signs as characters; blanks between letters go."""
    parts = []
    for text in _patterns()[2].findall(spelled.replace("スラスラ", "スラッシュスラッシュ")):
        parts.append(_SIGNS.get(text) or _atoms().get(text) or ("" if text.isspace() else text))
    return "".join(parts)


@cache
def _atoms() -> dict[str, str]:
    """Everything that has a reading: letters, digits and names of `letters.txt`, digits in kanji."""
    table = dict(_DIGITS)
    for line in lines_of(__package__, "letters.txt"):
        text, *readings = line.split()
        table.update(dict.fromkeys(readings, text))
    return table


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Mail addresses, web addresses, and what they are made of; compiled when a text first needs them."""
    # possessive: a run of letters is one atom and a label gives none back, so that time stays linear
    atom = rf"(?:{_any(_atoms())}|[A-Za-z0-9]{{1,40}}+)"
    gap = r"[ \u3000]?"
    label = rf"{atom}(?:{gap}{atom}){{0,30}}+"
    name = rf"{label}(?:{gap}(?:{_any(_JOINTS)}){gap}{label}){{0,3}}"
    domain = rf"{label}(?:ハイフン{label}){{0,2}}(?:{gap}ドット{gap}{label}){{1,4}}"
    scheme = r"(?P<scheme>(?:エイチティーティーピー(?:エス)?|https?)(?:コロン|:)(?:スラッシュスラッシュ|スラスラ|//))"
    return (
        re.compile(rf"{name}{gap}(?:アットマーク|アット|@){gap}{domain}"),
        re.compile(rf"{scheme}?{domain}(?:スラッシュ{name}){{0,4}}"),
        re.compile(rf"{_any(_SIGNS)}|{atom}|.", re.DOTALL),
    )


def _any(table: dict[str, str]) -> str:
    """A pattern for any reading of a table, longest first."""
    return "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
