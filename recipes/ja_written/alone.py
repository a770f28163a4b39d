"""How far the shares of single words can be believed, and the number in certainty.py that makes them so.

    python alone.py DATA/ja_real/words.tsv [--model CONVERTER]

From the right kana of the real words of the training split; those of the development split tell what it is worth.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import uniasr
from uniasr.text.kana_kanji import certainty

NEVER = 1e-3
"""Shares this close to 0 and 1 count as this close."""


def shares(words: Path, split: str, converter: uniasr.Converter) -> tuple[np.ndarray, np.ndarray]:
    """The shares of words that are written as one word, and whether they were right."""
    with words.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        pairs = dict.fromkeys((row["text"], row["pron"]) for row in rows if row["split"] == split)
    found = [(converter.convert(kana, spans=True), text) for text, kana in pairs]
    alone = [(result.spans[0].certainty, result.text == text) for result, text in found if len(result.spans) == 1]
    return np.clip([share for share, _ in alone], NEVER, 1 - NEVER), np.array([right for _, right in alone], float)


def likelihood(exponent: float, share: np.ndarray, right: np.ndarray) -> float:
    """Mean log-probability of what was right and what was not."""
    odds = exponent * (np.log(share) - np.log1p(-share))
    return float(-np.logaddexp(0, odds * (1 - 2 * right)).mean())


def main() -> None:
    """Print the number, then shares and what was right in ten groups of equal size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path)
    parser.add_argument("--model")
    options = parser.parse_args()
    certainty.ALONE = 1.0
    converter = uniasr.load_converter(options.model)
    train = shares(options.words, "train", converter)
    best = max(np.arange(0.1, 1.5, 0.01), key=lambda exponent: likelihood(exponent, *train))
    print(f"ALONE = {best:.2f}")
    for split, (share, right) in (("train", train), ("dev", shares(options.words, "dev", converter))):
        odds = (share / (1 - share)) ** best
        print(
            f"{split}: {len(share)} words, share {share.mean():.3f}, then {(odds / (1 + odds)).mean():.3f}, right",
            end=" ",
        )
        print(f"{right.mean():.3f}")
        for part in np.array_split(np.argsort(share), 10):
            print(f"  {share[part].mean():.2f} {(odds / (1 + odds))[part].mean():.2f} {right[part].mean():.2f}")


if __name__ == "__main__":
    main()
