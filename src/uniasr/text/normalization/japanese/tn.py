"""Japanese text normalisation: digits and symbols are written as they are spoken.

The rules are patterns over the text in compatibility form (full-width digits, ㎞ and Ⅱ become plain); each match is a
candidate of the same lattice that ITN uses, so the widest reading wins, and of equal ones the rule that stands first.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from uniasr.text.normalization.japanese.tn_rules import Reading, rules
from uniasr.text.normalization.lattice import Candidate, cheapest
from uniasr.text.normalization.records import Piece

RULE_COST = 0.5
_KEPT = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁻½⅓¼¾⅔℃℉…‥№")
"""Characters whose compatibility form would lose what they mean."""
_ROMAN = {chr(0x2160 + i): str(i + 1) for i in range(12)} | {chr(0x2170 + i): str(i + 1) for i in range(12)}
"""Roman numerals that are one character each."""


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    reading: Reading


def tn_pieces(source: str) -> list[Piece]:
    """What changes in the source, in order."""
    folded, origins = _folded(source)
    candidates: list[Candidate] = []
    for rule in _rules():
        for match in rule.pattern.finditer(folded):
            text = rule.reading(match)
            if text is None:
                continue
            first, last = _whole(match.start(), match.end(), origins)
            text = folded[first : match.start()] + text + folded[match.end() : last]
            start, end = origins[first], origins[last - 1] + 1
            candidates.append(Candidate(start, end, RULE_COST, (Piece(start, end, text, rule.kind),)))
    return [piece for candidate in cheapest(len(source), candidates) for piece in candidate.pieces]


def _folded(source: str) -> tuple[str, list[int]]:
    """The text in compatibility form, and for each of its characters the index of its origin."""
    parts, origins = [], []
    for index, char in enumerate(source):
        part = char if char in _KEPT else _ROMAN.get(char) or unicodedata.normalize("NFKC", char)
        parts.append(part)
        origins += [index] * len(part)
    return "".join(parts), origins


def _whole(first: int, last: int, origins: list[int]) -> tuple[int, int]:
    """A stretch of the folded text, widened to whole characters of the source (㏠ is 1 and 日)."""
    while first and origins[first - 1] == origins[first]:
        first -= 1
    while last < len(origins) and origins[last] == origins[last - 1]:
        last += 1
    return first, last


@cache
def _rules() -> tuple[_Rule, ...]:
    return tuple(_Rule(kind, re.compile(pattern), reading) for kind, pattern, reading in rules())
