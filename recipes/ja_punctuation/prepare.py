"""Make the word list and the training arrays.

python prepare.py --data DATA --out WORK
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from corpus import RENDERINGS, sentences

LEAST = 3
"""Occurrences of a word that make it known."""
HELD_BACK = 40
"""One sentence in so many is kept for calibration and for choosing among snapshots."""


def main() -> None:
    """Write tokens.txt and one .npz per rendering and part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ja_text")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.data / "ja_text" / "train.tsv.xz"
    both = {rendering: list(sentences(table, rendering)) for rendering in RENDERINGS}
    counts = Counter(word for part in both.values() for found in part if found for word in found.words)
    words = ["<unk>", "<s>", "</s>", *sorted(word for word, count in counts.items() if count >= LEAST)]
    (options.out / "tokens.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8", newline="\n")
    index = {word: i for i, word in enumerate(words)}
    names = sorted({found.source for part in both.values() for found in part if found})
    for rendering, part in both.items():
        for name, chosen in (("train", lambda i: i % HELD_BACK), ("held", lambda i: i % HELD_BACK == 0)):
            kept = [found for i, found in enumerate(part) if found and chosen(i)]
            np.savez(
                options.out / f"{name}-{rendering}.npz",
                ids=np.array([index.get(word, 0) for found in kept for word in found.words], np.int32),
                labels=np.array([label for found in kept for label in found.labels], np.int8),
                starts=np.cumsum([0, *(len(found.words) for found in kept)]),
                sources=np.array([names.index(found.source) for found in kept]),
            )
            print(name, rendering, len(kept), "sentences", sum(len(found.words) for found in kept), "words")
    print(len(words), "words known")


if __name__ == "__main__":
    main()
