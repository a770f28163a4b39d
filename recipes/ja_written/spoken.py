"""Sentences as people say them in news, meetings, calls, lectures, dramas and at home, of which the corpora have few.

A language model wrote them (`spoken.txt.xz`). Each run of Latin letters has its reading between 〔 and 〕 behind it,
since what is said シーディー is written CD; such a sentence is analysed with another word in place of the letters.
Some come again with letters by chance, one by one, so that what no sentence has can be spelled.
"""

from __future__ import annotations

import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

SENTENCES = Path(__file__).parent / "spoken.txt.xz"
SEED = 12
SPELLED = 0.15
"""Share of the sentences with letters that come again with letters by chance."""
HOLDERS = {"バナナ": "バナナ/バナナ/名詞-一般", "机": "机/ツクエ/名詞-一般"}
"""What stands where letters belong, and what the analysis makes of it unless it becomes part of another word."""
RUN = re.compile(r"([A-Za-z0-9-]+)〔([ァ-ヴー]+)〕")
LETTER, NOUN = "記号-アルファベット", "名詞-一般"
READINGS = {
    "A": "エー",
    "B": "ビー",
    "C": "シー",
    "D": "ディー",
    "E": "イー",
    "F": "エフ",
    "G": "ジー",
    "H": "エイチ",
    "I": "アイ",
    "J": "ジェー",
    "K": "ケー",
    "L": "エル",
    "M": "エム",
    "N": "エヌ",
    "O": "オー",
    "P": "ピー",
    "Q": "キュー",
    "R": "アール",
    "S": "エス",
    "T": "ティー",
    "U": "ユー",
    "V": "ブイ",
    "W": "ダブリュー",
    "X": "エックス",
    "Y": "ワイ",
    "Z": "ゼット",
}
OTHERS = {"D": ("デー", 0.05), "H": ("エッチ", 0.25), "T": ("テー", 0.05), "V": ("ヴィー", 0.1), "Z": ("ズィー", 0.05)}
"""Other readings of a letter, and how often they are heard."""

Analyse = Callable[[str], str]
Run = tuple[str, str]
"""Letters and their reading."""


def analysed_sentences(path: Path, analysed: Analyse) -> Iterator[tuple[list[str], list[Run]]]:
    """The words of each sentence, "" in place of its letters, and the letters."""
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        runs = RUN.findall(line)
        for carrier, holder in HOLDERS.items():
            words = ["" if word == holder else word for word in analysed(RUN.sub(carrier, line)).split(" ")]
            if words.count("") == len(runs):
                yield words, runs
                break


def sentences(analysed: Analyse) -> Iterator[str]:
    """The words of each sentence, as `analyse.py` writes them."""
    random = np.random.default_rng(SEED)
    found = list(analysed_sentences(SENTENCES, analysed))
    counts = Counter(letter for _, runs in found for run in runs if is_spelled(run) for letter in run[0])
    names, shares = list(counts), np.array(list(counts.values())) / counts.total()
    for words, runs in found:
        yield filled(words, [whole(run, random) for run in runs])
        if runs and random.random() < SPELLED:
            drawn = ["".join(random.choice(names, len(letters), p=shares)) for letters, _ in runs]
            pairs = zip(drawn, runs, strict=True)
            yield filled(
                words, [spelled(letters, random) if is_spelled(run) else whole(run, random) for letters, run in pairs]
            )


def is_spelled(run: Run) -> bool:
    """Whether letters are read by their names."""
    return run[1] == "".join(READINGS.get(letter, "?") for letter in run[0])


def whole(run: Run, random: np.random.Generator) -> str:
    """The letters as one word; one letter alone is a letter."""
    letters, reading = run
    if not is_spelled(run):
        return f"{letters}/{reading}/{NOUN}"
    if len(letters) == 1:
        return spelled(letters, random)
    return f"{letters}/{''.join(said(letter, random) for letter in letters)}/{NOUN}"


def spelled(letters: str, random: np.random.Generator) -> str:
    """Each letter as a word of its own."""
    return " ".join(f"{letter}/{said(letter, random)}/{LETTER}" for letter in letters)


def said(letter: str, random: np.random.Generator) -> str:
    """A reading of a letter."""
    other, share = OTHERS.get(letter, ("", 0.0))
    return other if random.random() < share else READINGS[letter]


def filled(words: Sequence[str], runs: Iterable[str]) -> str:
    """The words with these in the places that are left open, in turn."""
    left = iter(runs)
    return " ".join(word or next(left) for word in words)
