"""Precision, recall and F1 of each mark on held-back sentences joined to paragraphs, per rendering; marks at pauses.

python evaluate.py MODEL --data DATA
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from corpus import COMMA, MARKS, QUESTION, RENDERINGS, STOP, Sentence, sentences

import uniasr
from uniasr.recognizers.punctuation import Punctuator, StreamCarry
from uniasr.recognizers.punctuation.render import blanks

SEED = 5


def paragraphs(found: list[Sentence], seed: int) -> list[tuple[list[str], list[int]]]:
    """Words and labels of one to eight sentences each, in an order drawn once."""
    rng = np.random.default_rng(seed)
    order, result = rng.permutation(len(found)), []
    while len(order):
        size = int(rng.integers(1, 9))
        group, order = [found[i] for i in order[:size]], order[size:]
        result.append(([w for one in group for w in one.words], [label for one in group for label in one.labels]))
    return result


def unmarked(words: list[str]) -> str:
    """The text without marks, with blanks only where numbers would run together."""
    return "".join(blank + word for blank, word in zip(blanks(words), words, strict=True))


def report(name: str, pairs: list[tuple[int, int]]) -> None:
    """Print a line per mark; pairs are (wanted, found)."""
    counts = Counter(pairs)
    for mark in (STOP, COMMA, QUESTION):
        right = counts[mark, mark]
        wanted = sum(count for (label, _), count in counts.items() if label == mark)
        given = sum(count for (_, label), count in counts.items() if label == mark)
        scores = right / max(1, given), right / max(1, wanted), 2 * right / max(1, wanted + given)
        print(f"{name:28} {MARKS[mark]}  P {scores[0]:.3f}  R {scores[1]:.3f}  F1 {scores[2]:.3f}  ({wanted} wanted)")
    ends = {(label in (STOP, QUESTION), found in (STOP, QUESTION)): 0 for label, found in counts}
    for (label, found), count in counts.items():
        ends[label in (STOP, QUESTION), found in (STOP, QUESTION)] += count
    right, missed, wrong = ends.get((True, True), 0), ends.get((True, False), 0), ends.get((False, True), 0)
    print(f"{name:28} sentence ends  F1 {2 * right / (2 * right + missed + wrong):.3f}")


def pauses(punctuator: Punctuator, found: list[Sentence]) -> Counter[tuple[str, str]]:
    """How often which mark ends a final of a stream, by the mark that is written there.

    A final is what stands before each written mark, as if the speaker paused there and nowhere else.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for sentence in found:
        carry, piece = StreamCarry(), []
        for word, label in zip(sentence.words, sentence.labels, strict=True):
            piece.append(word)
            if label >= COMMA:
                carry, _ = punctuator.advance(carry, piece)
                counts[MARKS[label], carry.pending or "none"] += 1
                piece = []
    return counts


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    punctuator = uniasr.load_punctuator(options.model, threads=1)
    for rendering in RENDERINGS:
        table = options.data / "ja_text" / "dev.tsv.xz"
        complete = [one for one in sentences(table, rendering) if one]
        found = paragraphs(complete, SEED)
        started = time.perf_counter()
        results = punctuator.label_batch([unmarked(words) for words, _ in found])
        passed = time.perf_counter() - started
        pairs, inner = [], []
        for (words, labels), result in zip(found, results, strict=True):
            if list(result.words) != words:
                raise SystemExit(f"words were changed: {''.join(words)} | {result.text}")
            pairs += zip(labels, result.labels, strict=True)
            inner += zip(labels[:-1], result.labels[:-1], strict=True)
        report(f"{rendering}", pairs)
        report(f"{rendering}, without the last", inner)
        number = sum(len(words) for words, _ in found)
        print(f"{rendering}: {len(found)} paragraphs, {number} words, {number / passed:.0f} words/s on one thread")
        for (written, given), count in sorted(pauses(punctuator, complete).items()):
            print(f"{rendering}, a pause at {written}: {given} {count} times")
        for result in results[: options.show]:
            print("   ", result.text)


if __name__ == "__main__":
    main()
