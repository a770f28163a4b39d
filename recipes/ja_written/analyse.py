"""Sentences as words with their pronunciation and part of speech, by the tool that made the readings of the text.

One line a sentence: words apart by blanks, a word is `surface/pronunciation/class`. Needs pyopenjtalk-plus and
SudachiDict, which only this step uses.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import multiprocessing
from collections.abc import Iterable, Iterator
from pathlib import Path

import digits
import pyopenjtalk
import spoken
from readings import KATAKANA, plain_pronunciation, word_class

WRITTEN = Path(__file__).parents[1] / "ja_punctuation" / "written.tsv.xz"


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


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """Text and reading of each row."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row["text"], row["kana"]


def write(path: Path, found: Iterable[str]) -> None:
    """A numbered line for each sentence."""
    lines = [f"{path.stem}-{i}\t{words}\n" for i, words in enumerate(found) if words]
    path.write_text("".join(lines), encoding="utf-8")
    print(f"{path.name}: {len(lines)} sentences")


def main() -> None:
    """Write a file of words for each text; where a reading is known, only of sentences that sound like it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ja_text")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in (arguments.data / "ja_text" / "train.tsv.xz", WRITTEN):
        rows = list(sentences(path))
        with multiprocessing.Pool(arguments.jobs) as pool:
            found = pool.map(analysed, [text for text, _ in rows], chunksize=500)
        pairs = zip(found, rows, strict=True)
        write(
            arguments.out / f"{path.name.split('.')[0]}.words",
            (words if pronunciation(words) == "".join(KATAKANA.findall(kana)) else "" for words, (_, kana) in pairs),
        )
    write(arguments.out / "spoken.words", spoken.sentences(analysed))
    write(arguments.out / "digits.words", digits.sentences(analysed))


def pronunciation(words: str) -> str:
    """How analysed words sound."""
    return "".join(word.split("/")[1] for word in words.split() if word != "、")


if __name__ == "__main__":
    main()
