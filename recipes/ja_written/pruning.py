"""Leave out pairs and triples that change the model little.

What a triple brings is the relative entropy between the model with and without it, in nats a word; what follows its
context otherwise is scaled so that all probabilities still sum to one.

Source: Stolcke 1998, Entropy-based pruning of backoff language models. How often a context occurs is counted, since the
lower orders of a Kneser-Ney model do not tell it (Chelba, Brants, Neveitt and Xu 2010).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from model import Model, Word, windows

NONE_LEFT = 1e-6
"""Probability that a context leaves at least for words that it was not seen with."""


def pruned(model: Model, sentences: Iterable[Sequence[Word]], class_of: Mapping[Word, str], threshold: float) -> Model:
    """The model without what changes it by less than `threshold` nats a word; contexts of what stays, stay."""
    counts = Counter(window[:2] for words in sentences for window in windows(words))
    total = counts.total()
    shares = {context: count / total for context, count in counts.items()}
    shares_of_last: defaultdict[Word, float] = defaultdict(float)
    for (_, v), share in shares.items():
        shares_of_last[v] += share

    def single(v: Word, w: Word) -> float:
        return model.classes[class_of[v], class_of[w]] + model.word[w]

    def pair(context: tuple[Word, Word], w: Word) -> float:
        return pairs[context[1], w] if (context[1], w) in pairs else left.get(context[1], 0.0) + single(context[1], w)

    pairs, left = model.pair, model.pair_left
    whole = {((u, v), w): value for (u, v, w), value in model.triple.items()}
    triples = _kept(whole, model.triple_left, shares, pair, threshold)
    needed = {context for context, _ in triples}
    pairs = _kept(model.pair, model.pair_left, shares_of_last, single, threshold, needed)
    left = _left_of(pairs, single)
    return replace(
        model,
        pair=pairs,
        pair_left=left,
        triple={(*context, w): value for (context, w), value in triples.items()},
        triple_left=_left_of(triples, pair),
    )


def _kept(
    logs: Mapping[tuple[Any, Word], float],
    left: Mapping[Any, float],
    shares: Mapping[Any, float],
    lower: Callable[[Any, Word], float],
    threshold: float,
    needed: Collection[tuple[Any, Word]] = (),
) -> dict[tuple[Any, Word], float]:
    """What is worth its place or needed. All numbers are logarithms but `shares`, how often a context is met."""
    kept = {}
    for context, words in _by_context(logs).items():
        worth = _worth({word: (logs[context, word], lower(context, word)) for word in words}, left[context])
        for word in words:
            if shares.get(context, 0.0) * worth[word] >= threshold or (context, word) in needed:
                kept[context, word] = logs[context, word]
    return kept


def _left_of(logs: Mapping[tuple[Any, Word], float], lower: Callable[[Any, Word], float]) -> dict[Any, float]:
    """What each context leaves for the words that it is not seen with."""
    return {
        context: _left(
            1 - sum(math.exp(logs[context, word]) for word in words),
            1 - sum(math.exp(lower(context, word)) for word in words),
        )
        for context, words in _by_context(logs).items()
    }


def _by_context(logs: Iterable[tuple[Any, Word]]) -> dict[Any, list[Word]]:
    found: defaultdict[Any, list[Word]] = defaultdict(list)
    for context, word in logs:
        found[context].append(word)
    return found


def _worth(logs: Mapping[Word, tuple[float, float]], left: float) -> dict[Word, float]:
    """Relative entropy in nats between a context with and without each of its words.

    Args:
        logs: of each word the logarithms of its probability and of that of the lower order.
        left: logarithm of what scales the lower order for the words that the context was not seen with.
    """
    unseen = 1 - sum(math.exp(here) for here, _ in logs.values())
    unseen_lower = 1 - sum(math.exp(lower) for _, lower in logs.values())
    found = {}
    for word, (here, lower) in logs.items():
        new = _left(unseen + math.exp(here), unseen_lower + math.exp(lower))
        found[word] = -math.exp(here) * (lower + new - here) - max(unseen, NONE_LEFT) * (new - left)
    return found


def _left(unseen: float, unseen_lower: float) -> float:
    """The logarithm of what scales the lower order, by what both leave for words that were not seen."""
    return math.log(max(unseen, NONE_LEFT) / max(unseen_lower, NONE_LEFT))
