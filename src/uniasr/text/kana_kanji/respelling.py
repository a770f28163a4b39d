"""Long vowels in the other ways that kana have for them: a recogniser hears no difference between イイ and イー."""

from __future__ import annotations

from uniasr.text.spelling import LENGTHENS, vowel_of

_AS_SPELLED = {"エ": "イ", "オ": "ウ"}
"""How native words mostly write a long vowel."""


def respelled(kana: str) -> tuple[str, str, str]:
    """Three spellings of the same length as the kana.

    Each ー as its vowel (イー -> イイ), each ー as orthography writes it (オモー -> オモウ), and each vowel that
    lengthens the one before it as ー (カワイイ -> カワイー).
    """
    as_vowel, as_spelled, as_long = [], [], []
    vowel = ""
    for char in kana:
        if char == "ー" and vowel:
            as_vowel.append(vowel)
            as_spelled.append(_AS_SPELLED.get(vowel, vowel))
            as_long.append(char)
            continue
        as_vowel.append(char)
        as_spelled.append(char)
        as_long.append("ー" if char in LENGTHENS.get(vowel, "") else char)
        vowel = vowel_of(char)
    return "".join(as_vowel), "".join(as_spelled), "".join(as_long)
