"""How far writers of nearly the same sentence agree on commas: a yardstick for what a model can reach.

python agreement.py --data DATA

The corpus has no sentence twice. So this compares sentences of at least 12 words (characters) that differ in at most 3
of them, at the places between words that are the same in both.
"""

from __future__ import annotations

import argparse
import difflib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from corpus import COMMA, Sentence, sentences

SHORTEST, EDITS = 12, 3
COMMON = 12
"""What more sentences than this share is no sign that two of them are alike."""


def candidates(found: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """Pairs of sentences of nearly equal length that share a quarter: of four parts, three edits leave one whole."""
    shared: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for number, sentence in enumerate(found):
        size = (len(sentence.words) - EDITS) // (EDITS + 1)
        for place in range(len(sentence.words) - size + 1):
            shared[sentence.words[place : place + size]].append((number, place))
    counts: Counter[tuple[int, int]] = Counter()
    for places in shared.values():
        if len(places) <= COMMON:
            for (one, here), (other, there) in combinations(places, 2):
                if one != other and abs(here - there) <= EDITS:
                    counts[one, other] += 1
    yield from (pair for pair, count in counts.items() if count >= EDITS)


def commas(one: Sentence, other: Sentence) -> tuple[int, int, int] | None:
    """Commas of the one, of the other and of both between words that they share; None where they differ too much."""
    matcher = difflib.SequenceMatcher(None, one.words, other.words, autojunk=False)
    blocks = matcher.get_matching_blocks()
    if max(len(one.words), len(other.words)) - sum(block.size for block in blocks) > EDITS:
        return None
    pairs = [
        (one.labels[block.a + i] == COMMA, other.labels[block.b + i] == COMMA)
        for block in blocks
        for i in range(block.size - 1)
    ]
    return sum(a for a, _ in pairs), sum(b for _, b in pairs), sum(a and b for a, b in pairs)


def main() -> None:
    """Print the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    tables = (options.data / "ja_text" / f"{part}.tsv.xz" for part in ("train", "dev"))
    found = [one for table in tables for one in sentences(table, "text") if one and len(one.words) >= SHORTEST]
    compared = [counts for a, b in candidates(found) if (counts := commas(found[a], found[b]))]
    first, second, both = (sum(column) for column in zip(*compared, strict=True))
    print(f"{len(compared)} pairs, {first} and {second} commas, {both} the same: F1 {2 * both / (first + second):.3f}")


if __name__ == "__main__":
    main()
