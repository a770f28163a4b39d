"""What the corpora lack: numbers read digit by digit, Latin letters, and eleven kinds of talk.

python blind.py numbers|letters|domains SYNTH [--converter DIRECTORY]

A language model wrote the sentences (`said_*.tsv`) without having seen what the converter was counted from, in
conversations of their own. SYNTH is what ja_synth.py made of them.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evaluate import RATE, Pair, line, rate, recordings

import uniasr
from uniasr.text import itn
from uniasr.text.kana import katakana_only
from uniasr.text.kana_kanji import Converter
from uniasr.types import MODES

LETTERS = re.compile("[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*")
Audio = list[npt.NDArray[np.float32]]


def said(name: str) -> list[list[str]]:
    """The rows of a table of this folder."""
    with (Path(__file__).parent / f"said_{name}.tsv").open(encoding="utf-8") as lines:
        return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def written(converter: Converter, audio: Audio, mode: str) -> list[str]:
    """What the packaged recogniser writes."""
    model = uniasr.load_model(threads=1)
    return [one.text for one in model.transcribe_batch(audio, RATE, mode, converter=str(converter.directory))]


def numbers(converter: Converter, texts: list[str], audio: Audio) -> None:
    """All digits right, in digits, and edits of digits."""
    right = dict(said("numbers"))
    for mode in MODES:
        found = [re.sub(r"[^\d.]", "", itn(text, "ja")) for text in written(converter, audio, mode)]
        pairs = [(digits, right[text]) for digits, text in zip(found, texts, strict=True)]
        exact = sum(digits == wanted for digits, wanted in pairs)
        print(f"{mode:8} {exact} of {len(pairs)} numbers, {rate(pairs):.1f} % of the digits wrong")


def letters(converter: Converter, texts: list[str], audio: Audio) -> None:
    """How many of the words with letters are there, as they should be, and how many others are."""
    right = {text: words.split(" ") for text, words in said("letters")}
    for mode in MODES:
        hits = wrong = 0
        for text, found in zip(texts, written(converter, audio, mode), strict=True):
            left = LETTERS.findall(found)
            for word in right[text]:
                if word in left:
                    left.remove(word)
                    hits += 1
            wrong += len(left)
        print(f"{mode:8} {hits} of {sum(len(right[text]) for text in texts)} words, {wrong} wrong ones")


def domains(converter: Converter, texts: list[str], audio: Audio) -> None:
    """Written CER by domain, from the right kana and from speech."""
    rows = said("domains")[1:]
    show("right kana", {(domain, text): converter.convert(katakana_only(kana)) for domain, text, kana in rows})
    domain_of = {text: domain for domain, text, _ in rows}
    for mode in MODES:
        found = written(converter, audio, mode)
        show(mode, {(domain_of[text], text): one for text, one in zip(texts, found, strict=True)})


def show(name: str, found: dict[tuple[str, str], str]) -> None:
    """A row for each domain and for all."""
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for (domain, text), one in found.items():
        pairs[domain].append((one, text))
        pairs["all"].append((one, text))
    for domain, part in pairs.items():
        print(line(f"{name}, {domain}", part))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("numbers", "letters", "domains"))
    parser.add_argument("synth", type=Path)
    parser.add_argument("--converter", help="a directory  [default: the packaged converter]")
    options = parser.parse_args()
    texts, audio = recordings(options.synth)
    kinds = {"numbers": numbers, "letters": letters, "domains": domains}
    kinds[options.what](uniasr.load_converter(options.converter), texts, audio)


if __name__ == "__main__":
    main()
