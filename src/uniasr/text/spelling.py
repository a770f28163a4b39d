"""How a word is spelled with a model's tokens, in every way that the model may write it.

A reading in kana becomes pronunciation kana where the model writes that: は stays ハ, おう becomes オー or stays オウ
(コーチ, 高知; コウシ, 子牛), since no rule on kana alone can tell them apart.
"""

from __future__ import annotations

import itertools
import unicodedata

from uniasr.text.hotwords import Hotword, is_kana
from uniasr.text.join import PIECE_GOES_ON, WORD_START
from uniasr.text.kana import hiragana, katakana, katakana_only
from uniasr.text.readings import reading_of
from uniasr.text.units import cut, token_index
from uniasr.text.vocabulary import Vocabulary

MOST_VOWELS = 3
"""Places of one word that are tried both long and short; further ones are long."""

_ONE_SOUND = str.maketrans("ヂヅヰヱヵヶ", "ジズイエカケ")
_ROWS = {
    "ア": "アァカガサザタダナハバパマヤャラワヮ",
    "イ": "イィキギシジチニヒビピミリ",
    "ウ": "ウゥクグスズツヌフブプムユュルヴ",
    "エ": "エェケゲセゼテデネヘベペメレ",
    "オ": "オォコゴソゾトドノホボポモヨョロヲ",
}
_VOWEL = {kana: vowel for vowel, row in _ROWS.items() for kana in row}
LENGTHENS = {"ア": "ア", "イ": "イ", "ウ": "ウ", "エ": "エイ", "オ": "オウ"}
"""What makes a vowel long in writing."""


def vowel_of(kana: str) -> str:
    """The vowel that a katakana ends with: カ and ア -> ア; empty for ン, ッ, ー and everything else."""
    return _VOWEL.get(kana, "")


def pronunciations(kana: str) -> list[str]:
    """Pronunciation katakana of a reading, long vowels first: おおさか -> オーサカ, オオサカ.

    A ー that the reading has stays, ヂ and ヅ become ジ and ズ; what has no sound (・, blanks) is dropped.
    """
    text = katakana_only(katakana(kana).translate(_ONE_SOUND))
    choices, doubtful = [], 0
    for before, kana_here in zip(" " + text, text, strict=False):
        if kana_here not in LENGTHENS.get(vowel_of(before), ""):
            choices.append(kana_here)
            continue
        doubtful += 1
        choices.append("ー" + kana_here if doubtful <= MOST_VOWELS else "ー")
    return ["".join(choice) for choice in itertools.product(*choices)]


class Speller:
    """Spells words with the tokens of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._index = token_index(vocabulary.tokens)
        self._longest = max(map(len, self._index))
        self._by_sound = not {"い", "イ"} <= set(self._index)  # who has both scripts writes words as people do

    def spellings(self, hotword: Hotword) -> tuple[tuple[int, ...], ...]:
        """Token ids of a word, one entry per way to write it; none when the vocabulary cannot write it.

        A model that writes kana by their sound writes a given reading also of a word in kana (キヤノン, キャノン).
        Else the reading counts only where the word itself cannot be written; a dictionary's only where none is given.
        """
        first, second = hotword.word, hotword.reading
        if second and self._by_sound and is_kana(first):
            first, second = second, first
        return self._written(first) or self._written(second or reading_of(hotword.word) or "")

    def _written(self, text: str) -> tuple[tuple[int, ...], ...]:
        forms = self._forms(unicodedata.normalize("NFKC", text))
        return tuple(dict.fromkeys(ids for form in forms if (ids := self._cut(form))))

    def _forms(self, text: str) -> list[str]:
        """How a model with these tokens may write a text."""
        if not is_kana(text):
            return list(dict.fromkeys((text, text.lower())))
        if not self._by_sound:
            return [text]
        return [hiragana(katakana_only(katakana(text)))] if "い" in self._index else pronunciations(text)

    def _cut(self, text: str) -> tuple[int, ...] | None:
        """Tokens of a text, word by word; pieces of a word carry the vocabulary's marks."""
        out: list[int] = []
        for word in text.split():
            ids = cut(WORD_START + word, self._index, self._longest) or self._pieces(word)
            ids = ids or cut(word, self._index, self._longest)
            if not ids:
                return None
            out.extend(ids)
        return tuple(out)

    def _pieces(self, word: str) -> list[int] | None:
        """A word of letters as one token, else as few pieces as do it, all but the last one marked to go on."""
        if not word.isascii():
            return None
        best: list[list[int] | None] = [*[None] * len(word), []]
        for start in reversed(range(len(word))):
            for end in range(start + 1, len(word) + 1):
                token = self._index.get(word[start:end] + (PIECE_GOES_ON if end < len(word) else ""))
                rest, so_far = best[end], best[start]
                if token is not None and rest is not None and (so_far is None or len(rest) + 1 < len(so_far)):
                    best[start] = [token, *rest]
        return best[0]
