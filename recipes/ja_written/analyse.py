"""Sentences as words with their pronunciation and part of speech, by the tool that made the readings of the text.

One line a sentence: words apart by blanks, a word is `surface/pronunciation/class`. Needs pyopenjtalk-plus and
SudachiDict, which only this step uses.
"""

from __future__ import annotations

import argparse
import lzma
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import digits
import pyopenjtalk
from readings import KATAKANA, plain_pronunciation, word_class


def analysed(text: str) -> str:
    """The words of a sentence without its marks; a mark between them is the word `、`."""
    words: list[str] = []
    for entry in pyopenjtalk.run_frontend(text):
        surface, pronunciation = entry["string"], plain_pronunciation(entry["pron"])
        if entry["pos"] in ("記号", "補助記号") and not KATAKANA.fullmatch(pronunciation):
            if words and words[-1] != "、":
                words.append("、")
            continue
        if not KATAKANA.fullmatch(pronunciation) or "/" in surface:
            return ""
        words.append(f"{surface}/{pronunciation}/{word_class(entry)}")
    while words and words[-1] == "、":
        words.pop()
    return " ".join(words)


def sentences(path: Path) -> Iterator[tuple[str, str, str]]:
    """Key, text and reading of each row."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        columns = next(lines).rstrip("\n").split("\t")
        places = [columns.index(name) for name in ("key", "text", "kana")]
        for line in lines:
            row = line.rstrip("\n").split("\t")
            yield row[places[0]], row[places[1]], row[places[2]]


def main() -> None:
    """Write `train.words`, without sentences whose analysis does not sound like their reading, and `digits.words`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ja_text")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = list(sentences(arguments.data / "ja_text" / "train.tsv.xz"))
    with multiprocessing.Pool(arguments.jobs) as pool:
        found = pool.map(analysed, [text for _, text, _ in rows], chunksize=500)
    kept = 0
    with (arguments.out / "train.words").open("w", encoding="utf-8") as out:
        for (key, _, kana), words in zip(rows, found, strict=True):
            heard = "".join(word.split("/")[1] for word in words.split() if word != "、")
            if words and heard == "".join(KATAKANA.findall(kana)):
                out.write(f"{key}\t{words}\n")
                kept += 1
    print(f"{kept} of {len(rows)} sentences")
    numbers = [f"digits-{i}\t{words}\n" for i, words in enumerate(digits.sentences(analysed))]
    (arguments.out / "digits.words").write_text("".join(numbers), encoding="utf-8")


if __name__ == "__main__":
    main()
