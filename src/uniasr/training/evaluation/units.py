"""Text as the units that an error rate counts: characters, words, or katakana of the reading.

Normalisation "v1": NFKC, lower case, no punctuation, symbols and blanks (between words they stay); dashes between
katakana are the long vowel mark, of which runs become one.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from uniasr.errors import MissingExtraError
from uniasr.text.join import solid
from uniasr.text.kana import katakana, katakana_only

NORMALISATION = "v1"
_DASHES = re.compile(r"(?<=[ァ-ヺー])[‐‑‒–—―−〜～]+")
_LONG = re.compile(r"ー+")
_SMALL_TSU = re.compile(r"([っッ])\1+")
_KANA_WORD = re.compile(r"[ぁ-ゖァ-ヴー\W]*")
_VOWELS = {"A": "ア", "I": "イ", "U": "ウ", "E": "エ", "O": "オ"}
_VOICED_V = (("ヴァ", "バ"), ("ヴィ", "ビ"), ("ヴェ", "ベ"), ("ヴォ", "ボ"), ("ヴ", "ブ"))
_SAME_SOUND = str.maketrans({"ヅ": "ズ", "ヂ": "ジ", "ヲ": "オ"})
_PARTICLES = str.maketrans({"ハ": "ワ", "ヘ": "エ"})

Reader = Callable[[str], str]
"""The reading of a Japanese sentence in katakana."""


def normalised(text: str) -> str:
    """Text without what is not spoken; words are separated by one blank."""
    text = _DASHES.sub("ー", unicodedata.normalize("NFKC", text).lower())
    kept = "".join(char if _spoken(char) else "'" if char in "'’" else " " for char in text)
    kept = re.sub(r"(?<!\w)'|'(?!\w)", " ", kept)
    return " ".join(_SMALL_TSU.sub(r"\1", _LONG.sub("ー", kept)).split())


def _spoken(char: str) -> bool:
    return char == "ー" or unicodedata.category(char)[0] not in "PSZC"


def characters(text: str) -> list[str]:
    """Characters of a text without blanks."""
    return list(normalised(text).replace(" ", "").replace("'", ""))


def words(text: str) -> list[str]:
    """Words of a text that has blanks between them."""
    return normalised(text).split()


def has_words(text: str) -> bool:
    """Whether blanks in a text separate words: some letter is of a script that is written with blanks."""
    return any(char.isalpha() and not solid(char) for char in text)


def reading(text: str, reader: Reader | None = None) -> list[str]:
    """Katakana of the reading, folded so that spellings of one sound are equal.

    Without a reader the text must be kana, and the particles wa and e count as their kana and as their sound.
    """
    kana = katakana_only((reader or katakana)(normalised(text)))
    for pair, sound in _VOICED_V:
        kana = kana.replace(pair, sound)
    folded = _long_vowels(kana.translate(_SAME_SOUND))
    return list(folded.translate(_PARTICLES) if reader is None else folded)


def kana_only(text: str) -> bool:
    """Whether a text can be read without a dictionary."""
    return _KANA_WORD.fullmatch(normalised(text)) is not None


def find_reader() -> Reader:
    """Readings by pyopenjtalk-plus; raises MissingExtraError without it.

    The package pyopenjtalk has the same name to import and no dictionary: its first reading would download one.
    """
    try:
        import pyopenjtalk
    except ImportError as error:
        raise MissingExtraError("readings of kanji need pyopenjtalk-plus: pip install 'uniasr[ja]'") from error
    if not Path(os.fsdecode(pyopenjtalk.OPEN_JTALK_DICT_DIR)).is_dir():
        raise MissingExtraError(
            "readings of kanji need pyopenjtalk-plus, and pyopenjtalk without a dictionary is in its place: "
            "pip uninstall pyopenjtalk, then pip install --force-reinstall 'uniasr[ja]'"
        )

    def reader(text: str) -> str:
        return str(pyopenjtalk.g2p(text, kana=True)) if text else ""

    return reader


def _long_vowels(kana: str) -> str:
    """Long vowels written out: koo for kou and ko-, see for sei and se-."""
    out: list[str] = []
    for char in kana:
        vowel = unicodedata.name(out[-1])[-1] if out else ""
        if char == "ー":
            char = _VOWELS.get(vowel, "")
        elif (char, vowel) in {("ウ", "O"), ("イ", "E")}:
            char = _VOWELS[vowel]
        if char:
            out.append(char)
    return "".join(out)
