"""How well a subtitle may end, or turn into its second line, before each character.

Best after a sentence, then after a comma, then at a phrase boundary, worst inside a word; a pause of the speaker makes
any of them better. Phrases (bunsetsu) come from BudouX where the text has ideographs; text in kana alone does not show
its phrases, so there the pauses decide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from uniasr.formats.lines import breakable
from uniasr.formats.timed import Glyph

SENTENCE, CLAUSE, PHRASE, INSIDE, TORN = 0.0, 0.3, 0.6, 2.0, 8.0
"""Costs of a break: 1.0 is what a further cue costs. INSIDE a phrase, TORN where no line should break."""

_USUAL_PAUSE_MS = 200.0
"""A pause of this length halves the cost of a break."""

_SENTENCE_END = frozenset("。．？！?!")
_CLAUSE_END = frozenset("、，,;；:：…‥—")
_GOES_ON = frozenset("っッ")
"""Kana that words hardly end with. A number likewise stays with its unit."""
_NEVER_FIRST = frozenset("んン")
"""Kana that no Japanese word begins with."""
_CLOSING = frozenset("）」』】〕〉》｝］”’)]}\"'")
_OPENING = frozenset("（「『【〔〈《｛［“‘([{")


def break_costs(line: Sequence[Glyph]) -> list[float]:
    """Cost of a break before each glyph, [n]; TORN where one would tear a word or start a line with a closing mark.

    The first entry has no meaning.
    """
    phrases = _phrase_starts("".join(glyph.text + " " * glyph.blank for glyph in line))
    costs, place = [TORN], 0
    for left, right in pairwise(line):
        place += len(left.text) + left.blank
        cost = _kind(left, right, place in phrases)
        costs.append(cost if cost == TORN else cost / (1.0 + max(0, right.start_ms - left.end_ms) / _USUAL_PAUSE_MS))
    ended = False
    for i, glyph in enumerate(line):
        # Brackets that close after a sentence belong to it.
        if ended and costs[i] != TORN:
            costs[i] = SENTENCE
        ended = ends_sentence(glyph) or (ended and glyph.text in _CLOSING)
    return costs


def ends_sentence(glyph: Glyph) -> bool:
    """Whether the glyph is a mark that ends a sentence; a full stop needs a blank, so that 3.14 has none."""
    return glyph.text in _SENTENCE_END or (glyph.text == "." and glyph.blank)


def _kind(left: Glyph, right: Glyph, new_phrase: bool) -> float:
    if not left.blank and not breakable(left.text[-1], right.text[0]):
        return TORN
    if ends_sentence(left):
        return SENTENCE
    if left.text in _CLAUSE_END:
        return CLAUSE
    if not left.blank and (left.text[-1].isdecimal() or left.text in _GOES_ON or right.text in _NEVER_FIRST):
        return 2 * INSIDE
    return PHRASE if left.blank or new_phrase or right.text in _OPENING else INSIDE


def _phrase_starts(text: str) -> frozenset[int]:
    """Places in the text where BudouX begins a phrase; none without ideographs, which is what it was trained on."""
    if not any(unicodedata.name(char, "").startswith("CJK UNIFIED") for char in text):
        return frozenset()
    starts: list[int] = []
    place = 0
    for phrase in _japanese_parser().parse(text):
        # A "phrase" of one kana at the start of an interjection (は|い、) is a slip of the model.
        if place > 1:
            starts.append(place)
        place += len(phrase)
    return frozenset(starts)


@cache
def _japanese_parser() -> Any:
    from budoux import load_default_japanese_parser

    return load_default_japanese_parser()
