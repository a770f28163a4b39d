"""A small n-gram model of the recogniser's tokens for its search: what texts make probable, and single words.

    python kana_lm.py MODEL --words WORDS/*.words --data DATA --output ja-ngram

The texts are those that `../ja_written/analyse.py` made words of. Whoever says a single word says something else than
who begins a sentence with it: the training's words in DATA/ja_real, and each content word of the texts, are utterances
of their own. Interpolated absolute discounting with three discounts an order (Chen and
Goodman 1999; counts and no continuation counts, which pruning harms: Chelba, Brants, Neveitt and Xu 2010), pruned by
relative entropy (Stolcke 1998) until so many n-grams are left.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from corpus import real_words

import uniasr
from uniasr.checkpoints.ngram import STEP, NgramOrder, write_ngram
from uniasr.decoding.hypotheses import EOS, SOS
from uniasr.text.kana import katakana_only
from uniasr.text.units import cut, token_index

ORDER = 5
BITS = 7
"""Of a token in a key."""
UNKNOWN = -1
"""Place of `<unk>`, which is as probable as the rarest token."""
NONE_LEFT = 1e-6
"""Probability that a context leaves at least for tokens that it was not seen with."""
CONTENT = re.compile("名詞-(?!非自立|接尾|数|代名詞|固有名詞|特殊)|(動詞|形容詞)-自立.*基本形|副詞|感動詞")
"""Classes of words that are said alone."""
ALONE = 2
"""How often each single word is counted."""
MEASURED = 8
"""Every eighth development sentence is measured on."""
JOINED = 3
"""Every third sentence also comes joined to the next one, since a recogniser's segment may hold several."""

Ints, Floats = npt.NDArray[np.int64], npt.NDArray[np.float64]


@dataclass
class Level:
    """The n-grams of one order, sorted by their keys, and what their contexts leave for others."""

    keys: Ints
    counts: Ints
    values: Floats
    """Probability of the last token after the others."""

    def __post_init__(self) -> None:
        self.contexts, self.of = np.unique(self.keys >> BITS, return_inverse=True)
        self.left = np.zeros(len(self.contexts))

    def sums(self, values: npt.NDArray[np.generic]) -> Floats:
        """What the n-grams of each context have together."""
        return np.bincount(self.of, values, len(self.contexts))

    def kept(self, which: npt.NDArray[np.bool_]) -> Level:
        """Some of the n-grams."""
        return Level(self.keys[which], self.counts[which], self.values[which])


def written_sentences(path: Path) -> Iterator[str]:
    """Kana of the sentences of a text."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row["kana"]


def words_of(paths: Sequence[Path]) -> Iterator[list[list[str]]]:
    """Surface, pronunciation and class of the words of each sentence."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            yield [word.split("/") for word in line.split("\t")[1].split() if word != "、"]


def single_words(data: Path, sentences: Iterable[list[list[str]]]) -> Iterator[str]:
    """Kana of the words that are counted as utterances."""
    content = {word[1] for sentence in sentences for word in sentence if CONTENT.match(word[2])}
    recorded = [word.kana for word in real_words(data / "ja_real") if word.split == "train"]
    for _ in range(ALONE):
        yield from sorted(content)
        yield from recorded


def tokenised(lines: Iterable[str], tokens: Sequence[str], joined: int = JOINED) -> Iterator[list[int]]:
    """Token ids of each line, and of every so many joined to the next one, with both ends; 0 joins none."""
    index = token_index(tokens)
    longest = max(map(len, index))
    last: list[int] = []
    for number, line in enumerate(lines):
        ids = cut(katakana_only(line), index, longest)
        if ids:
            yield [SOS, *ids, EOS]
            if last and joined and number % joined == 0:
                yield [SOS, *last, *ids, EOS]
            last = ids


def counted(lines: Iterator[list[int]]) -> list[Level]:
    """How often each n-gram occurs."""
    whole = [np.array(line) for line in lines]
    levels = []
    for order in range(1, ORDER + 1):
        found = []
        for line in whole:
            windows = np.lib.stride_tricks.sliding_window_view(line, min(order, len(line)))
            found.append(windows @ (1 << BITS * np.arange(windows.shape[1])[::-1]) if len(line) >= order else line[:0])
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        if order == 1:
            keys, counts = keys[keys != SOS], counts[keys != SOS]
        levels.append(Level(keys, counts, np.zeros(len(keys))))
    return levels


def estimate(levels: list[Level], vocabulary: int) -> None:
    """Fill in the probabilities, from the lowest order up."""
    for order, level in enumerate(levels, start=1):
        n1, n2, n3, n4 = (max(1, int((level.counts == i).sum())) for i in range(1, 5))
        y = n1 / (n1 + 2 * n2)
        steps = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        discounts = np.clip(steps, 0, 0.99 * np.arange(4))[np.minimum(level.counts, 3)]
        totals = level.sums(level.counts)
        level.left = level.sums(discounts) / totals
        lower = (
            np.full(len(level.keys), 1 / vocabulary)
            if order == 1
            else probability(levels, order - 1, _tails(level.keys, order))
        )
        level.values = (level.counts - discounts) / totals[level.of] + level.left[level.of] * lower


def probability(levels: list[Level], order: int, keys: Ints) -> Floats:
    """Of n-grams of an order, also of those that the model does not have."""
    level = levels[order - 1]
    places = np.minimum(level.keys.searchsorted(keys), len(level.keys) - 1)
    known = level.keys[places] == keys
    result = np.where(known, level.values[places], 0.0)
    if order == 1:
        return result
    rest = ~known
    contexts = keys[rest] >> BITS
    at = np.minimum(level.contexts.searchsorted(contexts), len(level.contexts) - 1)
    left = np.where(level.contexts[at] == contexts, level.left[at], 1.0)
    result[rest] = left * probability(levels, order - 1, _tails(keys[rest], order))
    return result


def _tails(keys: Ints, order: int) -> Ints:
    """n-grams of an order without their first token."""
    return keys & ((1 << BITS * (order - 1)) - 1)


def pruned(levels: list[Level], threshold: float) -> list[Level]:
    """Without what changes the model by less than `threshold` nats a token; contexts of what stays, stay."""
    total = levels[0].counts.sum()
    result, needed = [], np.zeros(0, np.int64)
    for order in range(len(levels), 1, -1):
        level = levels[order - 1]
        lower = probability(levels, order - 1, _tails(level.keys, order))
        unseen = np.maximum(1 - level.sums(level.values), NONE_LEFT)[level.of]
        unseen_lower = np.maximum(1 - level.sums(lower), NONE_LEFT)[level.of]
        new = (unseen + level.values) / (unseen_lower + lower)
        change = np.log(new) - np.log(unseen / unseen_lower)
        worth = -level.values * (np.log(lower) + np.log(new) - np.log(level.values)) - unseen * change
        share = level.sums(level.counts)[level.of] / total
        level = level.kept((share * worth >= threshold) | np.isin(level.keys, needed))
        needed = level.contexts
        result.append(level)
    result = [levels[0], *result[::-1]]
    for order, level in enumerate(result[1:], start=2):
        lower = probability(result, order - 1, _tails(level.keys, order))
        level.left = np.maximum(1 - level.sums(level.values), NONE_LEFT) / np.maximum(1 - level.sums(lower), NONE_LEFT)
    return result


def of_size(levels: list[Level], entries: int) -> list[Level]:
    """The model pruned to at most so many n-grams."""
    low, high = -25.0, -8.0
    for _ in range(12):
        middle = (low + high) / 2
        small = sum(len(level.keys) for level in pruned(levels, float(np.exp(middle)))) <= entries
        low, high = (low, middle) if small else (middle, high)
    return pruned(levels, float(np.exp(high)))


def orders(levels: list[Level], vocabulary: int) -> Iterator[NgramOrder]:
    """As a directory holds them."""
    nodes = np.arange(vocabulary)
    values = np.zeros(vocabulary)
    values[levels[0].keys] = levels[0].values
    values[UNKNOWN] = levels[0].values.min()
    for longer in levels[1:]:
        followers, left = np.zeros(len(nodes)), np.ones(len(nodes))
        at = nodes.searchsorted(longer.contexts)
        followers[at], left[at] = np.bincount(longer.of), longer.left
        yield _order(nodes, values, followers, left)
        nodes, values = longer.keys, longer.values
    yield _order(nodes, values, np.zeros(0), np.ones(0))


def _order(nodes: Ints, values: Floats, followers: Floats, left: Floats) -> NgramOrder:
    return NgramOrder(
        (nodes & (1 << BITS) - 1).astype(np.uint8),
        np.clip(np.round(-np.log(np.maximum(values, 1e-99)) / STEP), 0, 255).astype(np.uint8),
        followers.astype(np.uint8),
        np.clip(np.round(np.log(left) / STEP), -128, 127).astype(np.int8),
    )


def nats(levels: list[Level], lines: list[list[int]]) -> float:
    """Mean cost of a token."""
    costs: list[Floats] = []
    for line in lines:
        for end in range(1, len(line)):
            window = line[max(0, end - ORDER + 1) : end + 1]
            key = np.array([sum(token << BITS * i for i, token in enumerate(reversed(window)))])
            costs.append(-np.log(probability(levels, len(window), key)))
    return float(np.mean(costs))


def main() -> None:
    """Write the model, and print its size and what a token of a text costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--words", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with ja_real and, to measure, ja_text")
    parser.add_argument("--entries", type=int, default=560_000)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    tokens = uniasr.load_model(options.model).vocabulary.tokens
    sentences = list(words_of(sorted(options.words)))
    lines = tokenised(("".join(word[1] for word in sentence) for sentence in sentences), tokens)
    levels = counted(chain(lines, tokenised(single_words(options.data, sentences), tokens, joined=0)))
    estimate(levels, len(tokens))
    small = of_size(levels, options.entries)
    card = Path(__file__).parent / "card" / "ngram"
    about = {"language": "ja", "licence": "CC BY-SA 4.0"}
    write_ngram(options.output, tokens, list(orders(small, len(tokens))), files=[card / "README.md"], card=about)
    dev = list(tokenised(written_sentences(options.data / "ja_text" / "dev.tsv.xz"), tokens))[::MEASURED]
    for name, found in (("all", levels), ("pruned", small)):
        print(f"{name}: {[len(level.keys) for level in found]} n-grams, {nats(found, dev):.3f} nats a token")


if __name__ == "__main__":
    main()
