"""Sentences that a large language model wrote in the manner of the corpora, as a table like theirs.

    pip install pyopenjtalk-plus
    python written.py w*.txt --without DATA/ja_text/dev.tsv.xz

What stands in the table of `--without`, whatever its marks, is left out. A line of a file is the letter of a source and
a sentence: `T 雨がやんだら、出かけよう。`. `written.tsv.xz` gets each sentence once, with a machine reading, as the
corpora have it. Writers were conversations: each had seen the 405 sentences that the readers saw (`readings.py`), and
leaned to themes of its own, 2,500 sentences each.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from corpus import marked, rows

TABLE = Path(__file__).parent / "written.tsv.xz"
TEACHER, WRITTEN, NOT_WRITTEN = 0.7, 5.0, 0.45
"""The power of the teacher's odds, and the factors for a comma of these writers and for none: those that fit the digits
from 5 on and below of the careful readers (`readings.py`) best. The writers put more commas than the corpora have, so
theirs are not taken as they are.
"""
SOURCES = {"T": "tatoeba", "K": "tanaka", "C": "commonvoice", "R": "rohan4600"}
MARKS = "、。？"
_LINE = re.compile(rf"([{''.join(SOURCES)}]) ([^\sA-Za-z「」『』（）()]+[。？])")
_KANA = re.compile(rf"[ァ-ヴー{MARKS}]+")


def judged(chances: npt.NDArray[np.float64], commas: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Chances [N] of the teacher at places of these sentences, seeing where their writers put commas [N]."""
    odds = (chances / (1 - chances)) ** TEACHER * np.where(commas, WRITTEN, NOT_WRITTEN)
    return odds / (1 + odds)


def reading(text: str) -> str:
    """Pronunciation katakana of a sentence, its marks between them."""
    import pyopenjtalk  # needed to make the table only

    parts = pyopenjtalk.run_frontend(text)
    spoken = "".join(part["string"] if part["string"] in MARKS else part["pron"] for part in parts)
    return spoken.replace("’", "")  # devoiced vowels


def bare(text: str) -> str:
    """A sentence without its marks."""
    return "".join(marked(text)[0])


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--without", type=Path, required=True, help="sentences to measure with")
    options = parser.parse_args()
    measured = {bare(row["text"]) for row in rows(options.without)}
    lines = [line.strip() for file in sorted(options.files) for line in file.read_text(encoding="utf-8").splitlines()]
    matches = [match for line in lines if (match := _LINE.fullmatch(line))]
    letters = {match[2]: match[1] for match in matches if bare(match[2]) not in measured}
    found = [(SOURCES[letter], text, reading(text)) for text, letter in letters.items()]
    found = [row for row in found if _KANA.fullmatch(row[2]) and all(row[1].count(m) == row[2].count(m) for m in MARKS)]
    with lzma.open(TABLE, "wt", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        table.writerow(("source", "text", "kana"))
        table.writerows(found)
    commas = sum(text.count("、") for _, text, _ in found)
    print(f"{len(matches) - len(letters)} left out, {len(found)} of {len(lines)} lines kept, {commas} commas")


if __name__ == "__main__":
    main()
