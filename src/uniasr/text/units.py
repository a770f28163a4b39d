"""Cutting text into a vocabulary's tokens: characters, or kana morae, by longest match."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

LEAST = 30
"""How often a mora of two kana must occur to be a token of its own."""
SMALL_KANA = "ァィゥェォャュョヮ"
_MORA = re.compile(rf"[ァ-ヴ][{SMALL_KANA}]|[ァ-ヴー]")


def morae(kana: str) -> list[str]:
    """Katakana as morae: a small ya, yu, yo or vowel belongs to the kana before it."""
    return _MORA.findall(kana)


def mora_tokens(texts: Iterable[str]) -> tuple[str, ...]:
    """Tokens for kana texts: every single kana that occurs, and every two-kana mora seen LEAST times or more.

    A rarer mora is written with its two kana, so no kana is ever unknown.
    """
    counts = Counter(mora for text in texts for mora in morae(text))
    singles = {kana for mora in counts for kana in mora}
    pairs = {mora for mora, count in counts.items() if len(mora) == 2 and count >= LEAST}
    return ("<blank>", "<s>", "</s>", *sorted(singles | pairs), "<unk>")


def cut(text: str, ids: dict[str, int], longest: int) -> list[int] | None:
    """Token ids by longest match from the left; None when a character is in no token."""
    out, place = [], 0
    while place < len(text):
        for size in range(min(longest, len(text) - place), 0, -1):
            token = ids.get(text[place : place + size])
            if token is not None:
                out.append(token)
                place += size
                break
        else:
            return None
    return out


def token_index(tokens: Sequence[str]) -> dict[str, int]:
    """Ids of the tokens that stand for text (marks in angle brackets do not)."""
    return {token: i for i, token in enumerate(tokens) if not (token.startswith("<") and token.endswith(">"))}
