"""A trigram model of words that backs off to classes, by modified Kneser-Ney smoothing.

P(w | u, v) = discounted count of u v w + what is left for P(w | v)
P(w | v)    = discounted continuation count of v w + what is left for P(class of w | class of v) P(w | class of w)
P(w | c)    = discounted continuation count of w + what is left for the dictionary's frequency of w in c

Source: Chen and Goodman 1999, An empirical study of smoothing techniques for language modeling.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Word = tuple[str, str]
START, END, UNKNOWN = ("<s>", ""), ("</s>", ""), ("<unk>", "")


@dataclass(frozen=True)
class Settings:
    """What was chosen on the held-back training sentences."""

    discounts: tuple[float, float] = (0.7, 0.7)
    """Of words in their class, and of pairs of classes."""
    dictionary_mass: float = 0.5
    """Further counts of the dictionary in each class, as a multiple of the types of the class."""


@dataclass(frozen=True)
class Model:
    """Probabilities (natural logarithms) of what was seen, and what is left for the rest."""

    word: Mapping[Word, float]
    """Of a word in its class."""
    classes: Mapping[tuple[str, str], float]
    """Of a class after a class, for all pairs."""
    pair: Mapping[tuple[Word, Word], float]
    pair_left: Mapping[Word, float]
    triple: Mapping[tuple[Word, Word, Word], float]
    triple_left: Mapping[tuple[Word, Word], float]


def estimate(
    sentences: Sequence[Sequence[Word]], classes: Mapping[Word, str], prior: Mapping[Word, float], settings: Settings
) -> Model:
    """Estimate from sentences without their ends; `prior` is a frequency for all words (any scale)."""
    triples = Counter(t for words in sentences for t in windows(words))
    pairs: Counter[tuple[Word, Word]] = Counter()
    for u, v, w in triples:
        pairs[v, w] += triples[u, v, w] if u == v == START else 1
    unigrams: Counter[Word] = Counter()
    for _, w in pairs:
        unigrams[w] += 1
    class_pairs = _class_pairs(sentences, classes)
    d1, dc = settings.discounts
    word = _words(unigrams, classes, prior, d1, settings.dictionary_mass)
    by_class = _class_model(class_pairs, sorted(set(classes.values())), dc)
    pair, pair_left = _discounted(pairs, lambda v, w: math.exp(by_class[classes[v], classes[w]] + word[w]))
    flat = Counter({((u, v), w): count for (u, v, w), count in triples.items()})
    triple, triple_left = _discounted(flat, lambda context, w: math.exp(pair[context[1], w]))
    return Model(word, by_class, pair, pair_left, {(*h, w): p for (h, w), p in triple.items()}, triple_left)


def windows(words: Sequence[Word]) -> Iterable[tuple[Word, Word, Word]]:
    """Every word of a sentence and its end, each with the two before it."""
    padded = [START, START, *words, END]
    return zip(padded, padded[1:], padded[2:], strict=False)


def _class_pairs(sentences: Sequence[Sequence[Word]], classes: Mapping[Word, str]) -> Counter[tuple[str, str]]:
    """Pairs of classes; the first word of a sentence also follows the last one of the sentence before.

    A recogniser's segment may hold several sentences.
    """
    found: Counter[tuple[str, str]] = Counter()
    last = START
    for words in sentences:
        padded = [START, *words, END]
        found.update((classes[v], classes[w]) for v, w in pairwise(padded))
        found[classes[last], classes[words[0]]] += 1
        last = words[-1]
    return found


def _words(
    counts: Mapping[Word, int], classes: Mapping[Word, str], prior: Mapping[Word, float], discount: float, mass: float
) -> dict[Word, float]:
    members: dict[str, list[Word]] = defaultdict(list)
    for word, name in classes.items():
        members[name].append(word)
    result: dict[Word, float] = {}
    for words in members.values():
        seen = [counts.get(word, 0) for word in words]
        types = sum(1 for count in seen if count)
        extra = discount * types + mass * max(types, 1)
        total = sum(seen) - discount * types + extra
        whole = sum(prior.get(word, 0.0) for word in words)
        for word, count in zip(words, seen, strict=True):
            share = prior.get(word, 0.0) / whole if whole else 1 / len(words)
            result[word] = math.log((max(count - discount, 0.0) + extra * share + 1e-9) / total)
    return result


def _class_model(
    counts: Mapping[tuple[str, str], int], names: Sequence[str], discount: float
) -> dict[tuple[str, str], float]:
    single: Counter[str] = Counter()
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for (left, right), count in counts.items():
        single[right] += 1
        after[left][right] = count
    total = sum(single.values())
    base = {name: (single[name] + 0.5) / (total + 0.5 * len(names)) for name in names}
    result: dict[tuple[str, str], float] = {}
    for left in names:
        seen = after[left]
        whole = sum(seen.values())
        left_over = discount * len(seen) / whole if whole else 1.0
        for right in names:
            own = max(seen[right] - discount, 0.0) / whole if whole else 0.0
            result[left, right] = math.log(own + left_over * base[right])
    return result


def _discounted(counts: Mapping[tuple[Any, Word], int], lower: Callable[[Any, Word], float]) -> tuple[Any, Any]:
    """Interpolated probabilities of pairs (context, word), and the logarithm of what each context leaves."""
    discounts = _discounts(counts.values())
    totals: Counter[Any] = Counter()
    freed: defaultdict[Any, float] = defaultdict(float)
    for (context, _), count in counts.items():
        totals[context] += count
        freed[context] += discounts[min(count, 3) - 1]
    left = {context: freed[context] / totals[context] for context in totals}
    logs = {
        (context, word): math.log(
            (count - discounts[min(count, 3) - 1]) / totals[context] + left[context] * lower(context, word)
        )
        for (context, word), count in counts.items()
    }
    return logs, {context: math.log(value) for context, value in left.items()}


def _discounts(counts: Iterable[int]) -> tuple[float, float, float]:
    """What is taken off counts of 1, 2, and 3 or more (Chen and Goodman, modified Kneser-Ney smoothing)."""
    found = Counter(counts)
    n1, n2, n3, n4 = (found[i] for i in range(1, 5))
    y = n1 / (n1 + 2 * n2)
    return 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
