"""What the CTC head of a pass says of its text: whether anything was said at all, and which hypothesis it was.

A decoder writes what its acoustic embeddings resemble most, for a door that slams too; the head may call every row
blank. Where words were said it weighs all alignments of a text, which no step of the search can. Why, and how much it
helps: docs/decisions/0013-text-needs-evidence.md and 0014-heads-judge-hypotheses.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.configs.decoding import DoubtConfig
from uniasr.decoding.beam import EOS, SOS
from uniasr.decoding.ctc import BLANK, evidence, log_probabilities
from uniasr.decoding.rescoring import Rescoring
from uniasr.engines.base import Engine
from uniasr.recognizers.uniasr.passes import EncodedChunk, Heard, PassCarry
from uniasr.types import F32, F64, I64

CERTAIN = 10.0
"""With this evidence for the text so far something was said, whatever follows: from there on tokens may be stable."""

MOST_MISFIT = 100.0
"""Nats a token beyond which a text fits no worse: no rows could be rows of it."""
SOON_ROWS, GROWTH = 200, 1.2
"""A text is weighed anew after each chunk of so many rows, then when it has grown by that: the work stays linear."""


def hear(engine: Engine, jobs: Sequence[tuple[PassCarry, EncodedChunk, int]]) -> None:
    """Let the heads that still listen hear the first `count` kept rows of a chunk."""
    heard = [(carry.heard, chunk, count) for carry, chunk, count in jobs if carry.heard is not None]
    listening = [job for job in heard if job[0].listens]
    if not listening:
        return
    plan = jobs[0][0].plan  # the same for all
    rows = np.stack([chunk.rows for _, chunk, _ in listening])
    log_probs = engine.run(f"ctc{plan.suffix}", {"rows": rows}, ["log_probs"])["log_probs"]
    start = plan.chunk.pad_left
    for (head, _, count), own in zip(listening, log_probs, strict=True):
        head.rows.append(own[start : start + count])


def weigh(carries: Sequence[PassCarry]) -> None:
    """Weigh the running text of doubtful carries; enough evidence ends the doubt."""
    for carry in carries:
        heard = carry.heard
        if heard is None or carry.search is None or not (carry.doubtful and carry.search.steps):
            continue
        num_rows = sum(map(len, heard.rows))
        if num_rows >= heard.weighed_rows * GROWTH or num_rows <= SOON_ROWS:
            heard.weighed_rows = num_rows
            heard.evidence = _evidence(heard, carry.search.running().ids, carry.ends)
            heard.certain = heard.evidence >= CERTAIN
            if not heard.listens:
                heard.rows.clear()


def is_said(carry: PassCarry, ids: I64, num_rows: int) -> bool:
    """Whether the text of a complete segment counts."""
    return carry.heard is None or carry.heard.certain or _evidence(carry.heard, ids, carry.ends, num_rows) > 0


def head_of(carry: PassCarry, num_rows: int) -> Rescoring | None:
    """The head as a judge of the hypotheses of a complete segment, where the model wants it."""
    if carry.heard is None or not carry.heard.to_the_end or not carry.heard.rows:
        return None
    rows, near = _rows(carry.heard, num_rows), np.array(carry.ends)

    def judge(hypotheses: Sequence[I64]) -> F64:
        return log_probabilities(rows, [_said(ids) for ids in hypotheses], near)

    return Rescoring(judge, carry.plan.ctc_rescoring)


def in_council(own: Rescoring | None, others: Sequence[Rescoring | None]) -> list[Rescoring]:
    """What turns a score with the judgement of one head into one with the mean of its own and the others'."""
    if own is None:
        return []

    def judge(hypotheses: Sequence[I64]) -> F64:
        mine = own.judge(hypotheses)
        means: F64 = np.mean([mine, *(other.judge(hypotheses) for other in others if other)], axis=0)
        return means - mine

    return [Rescoring(judge, own.weight)]


def misfit(head: Rescoring, ids: I64) -> float:
    """What a text costs by a head, in nats a token; 0 to MOST_MISFIT."""
    cost = float(-head.judge([ids])[0]) / max(1, len(_said(ids)))
    return min(max(cost, 0.0), MOST_MISFIT)


def doubts(head: Rescoring, ids: I64, doubt: DoubtConfig) -> bool:
    """Whether a head finds a text of some length improbable."""
    return len(_said(ids)) >= doubt.tokens and misfit(head, ids) >= doubt.least


def _evidence(heard: Heard, ids: I64, ends: Sequence[float], num_rows: int | None = None) -> float:
    """The evidence for a text in the first rows, whose tokens fire at `ends`; 0 for no text."""
    said = _said(ids)
    return evidence(_rows(heard, num_rows), said, np.array(ends)) if len(said) and heard.rows else 0.0


def _rows(heard: Heard, num_rows: int | None) -> F32:
    return np.concatenate(heard.rows)[:num_rows]


def _said(ids: I64) -> I64:
    """The tokens that stand for text."""
    return ids[~np.isin(ids, (BLANK, SOS, EOS))]
