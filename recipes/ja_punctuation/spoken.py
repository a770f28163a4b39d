"""The sentences of `../ja_written/spoken.txt.xz` as a table like the corpora's, with a machine reading.

    pip install pyopenjtalk-plus sudachipy sudachidict_core pydantic
    python spoken.py --out WORK

They are what people say in news, meetings, calls, lectures and dramas. The corpora have short sentences of textbooks,
after which a network takes every longer sentence for two.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import re
from pathlib import Path

from written import reading

SENTENCES = Path(__file__).parents[1] / "ja_written" / "spoken.txt.xz"
SOURCE, TABLE = "spoken", "spoken.tsv.xz"
LETTERS = re.compile(r"([A-Za-z0-9-]+)〔([ァ-ヴー]+)〕")
"""A run of Latin letters and how it is read."""
MARKS = "、。？"
_KANA = re.compile(rf"[ァ-ヴー{MARKS}]+")


def fits(text: str, kana: str) -> bool:
    """Whether the reading has the same marks, and the end of the sentence tells whether it is a question.

    か。 and か？ are habits: these writers have the one 17 times as often as the other, and the corpora shall tell.
    """
    same = all(text.count(mark) == kana.count(mark) for mark in MARKS)
    return same and bool(_KANA.fullmatch(kana)) and not text.endswith("か。")


def main() -> None:
    """Write WORK/spoken.tsv.xz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    lines = lzma.decompress(SENTENCES.read_bytes()).decode().splitlines()
    found = [(LETTERS.sub(r"\1", line), reading(LETTERS.sub(r"\2", line))) for line in lines]
    kept = [row for row in found if fits(*row)]
    with lzma.open(options.out / TABLE, "wt", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        table.writerow(("source", "text", "kana"))
        table.writerows((SOURCE, *row) for row in kept)
    print(f"{len(kept)} of {len(found)} sentences")


if __name__ == "__main__":
    main()
