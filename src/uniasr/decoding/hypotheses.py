"""What both search rules share: paths, ended hypotheses, the choice of candidates, the final order."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from uniasr.decoding.scorers import Guidance
from uniasr.types import F32, F64, I64, Hypothesis

SOS = 1
"""Id of `<s>`, the input of step 0."""
EOS = 2
"""Id of `</s>`, which ends a hypothesis."""
SMALL = 512
"""Sorting so many numbers is faster than looking for the few largest."""


@dataclass(frozen=True, slots=True)
class Path:
    """Tokens of one hypothesis from the start of the segment, without `<s>`."""

    ids: I64
    """[n]"""
    log_probs: F32
    """[n] log-probability of each token at its step, model score only."""


@dataclass(frozen=True, slots=True)
class Ended(Path):
    """A hypothesis that has ended, without its `</s>`."""

    score: float
    """Sum of the log-probabilities, `</s>` and penalties included, not normalised by length."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """The chosen candidates of one step, best first. Dead ones (score -inf) come last, with parent 0 and id `<s>`."""

    parents: I64
    """[B] hypothesis that is extended."""
    ids: I64
    """[B] token that extends it."""
    columns: I64
    """[B] where that token stands among the candidates; 0 for dead ones."""
    log_probs: F32
    """[B] log-probability of that token."""
    scores: F64
    """[B] score with that token."""


def best_extensions(
    scores: F64, log_probs: F32, ids: I64, *, penalty: float, with_end: bool, guidance: Guidance | None = None
) -> Extensions:
    """Find the `B` best ways to extend `B` hypotheses by one token.

    Args:
        scores: [B] of the hypotheses; -inf marks a dead one, whose candidates are ignored.
        log_probs: [B, K] best log-probabilities, descending, ties by lower id; K >= min(V, B + 1).
        ids: [B, K] their tokens.
        penalty: added for each token.
        with_end: whether `</s>` is a candidate.
        guidance: what scorers add, if there are any.

    Ties go to the lower hypothesis, then the lower id (with scorers, the column further left).
    """
    beam = len(scores)
    if guidance is None:
        # no hypothesis can contribute more than B candidates, and one column more makes up for </s>
        log_probs, ids = log_probs[:, : beam + 1 - with_end], ids[:, : beam + 1 - with_end]
    allowed = np.broadcast_to((scores > -np.inf)[:, None], ids.shape)
    if not with_end:
        allowed = allowed & (ids != EOS)
    totals = scores[:, None] + log_probs + penalty
    if guidance is not None:
        totals += guidance.additions
    totals = np.where(allowed, totals, -np.inf).ravel()
    order = _best(totals, beam)
    if guidance is not None and guidance.lent is not None and beam > 1:
        # what is lent to others must not push out the hypothesis that is best without it
        safe = int(np.argmax(totals - guidance.lent.ravel()))
        if safe not in order:
            order[-1] = safe
    chosen = totals[order]
    dead = chosen == -np.inf
    return Extensions(
        parents=np.where(dead, 0, order // ids.shape[1]),
        ids=np.where(dead, SOS, ids.ravel()[order]),
        columns=np.where(dead, 0, order % ids.shape[1]),
        log_probs=np.where(dead, np.float32(0), log_probs.ravel()[order]),
        scores=chosen,
    )


def _best(totals: F64, count: int) -> I64:
    """Places of the `count` largest, largest first; ties keep their order."""
    if len(totals) <= SMALL:
        return np.argsort(-totals, kind="stable")[:count]
    least = np.partition(totals, len(totals) - count)[len(totals) - count]
    places = np.flatnonzero(totals >= least)
    return places[np.argsort(-totals[places], kind="stable")[:count]]


def each_once(hypotheses: Iterable[Hypothesis], what: Callable[[Hypothesis], Hashable]) -> Iterator[Hypothesis]:
    """The hypotheses in order, without those that are in `what` like one before."""
    seen: set[Hashable] = set()
    for one in hypotheses:
        if what(one) not in seen:
            seen.add(what(one))
            yield one


def final_order(scores: F64, lengths: I64, length_norm: float) -> I64:
    """Sort ended hypotheses: their indices, best first; ties keep their order.

    Args:
        scores: [n] plain sums.
        lengths: [n] tokens without `</s>`.
        length_norm: scores are compared after division by (tokens with `</s>`) ** length_norm.
    """
    return np.argsort(-scores / (lengths + 1.0) ** length_norm, kind="stable")
