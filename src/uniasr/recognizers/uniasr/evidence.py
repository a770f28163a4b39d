"""Whether a segment's text was said at all: the CTC head of its pass must find it more probable than none.

A decoder writes what its acoustic embeddings resemble most, for a door that slams too; the head may call every row
blank. Why, and how much it helps: docs/decisions/0013-text-needs-evidence.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.decoding.beam import EOS, SOS
from uniasr.decoding.ctc import BLANK, evidence
from uniasr.engines.base import Engine
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry
from uniasr.types import I64

CERTAIN = 10.0
"""With this evidence for the text so far something was said, whatever follows: from there on tokens may be stable."""


def hear(engine: Engine, jobs: Sequence[tuple[PassCarry, EncodedChunk, int]]) -> None:
    """Let the heads of doubtful carries hear the first `count` kept rows of a chunk."""
    doubtful = [(carry.doubt, chunk, count) for carry, chunk, count in jobs if carry.doubt is not None]
    if not doubtful:
        return
    plan = jobs[0][0].plan  # the same for all
    rows = np.stack([chunk.rows for _, chunk, _ in doubtful])
    log_probs = engine.run(f"ctc{plan.suffix}", {"rows": rows}, ["log_probs"])["log_probs"]
    start = plan.chunk.pad_left
    for (doubt, _, count), own in zip(doubtful, log_probs, strict=True):
        doubt.rows.append(own[start : start + count])


def weigh(carries: Sequence[PassCarry]) -> None:
    """Weigh the running text of doubtful carries; enough evidence ends the doubt."""
    for carry in carries:
        if carry.doubt is not None and carry.search is not None and carry.search.steps:
            carry.doubt.evidence = evidence_of(carry, carry.search.running().ids)
            if carry.doubt.evidence >= CERTAIN:
                carry.doubt = None


def evidence_of(carry: PassCarry, ids: I64, num_rows: int | None = None) -> float:
    """The evidence for a text of a doubtful carry in its first rows; 0 for no text."""
    assert carry.doubt is not None
    said = ids[~np.isin(ids, (BLANK, SOS, EOS))]
    return evidence(np.concatenate(carry.doubt.rows)[:num_rows], said) if len(said) and carry.doubt.rows else 0.0


def is_said(carry: PassCarry, ids: I64, num_rows: int) -> bool:
    """Whether the text of a complete segment counts."""
    return carry.doubt is None or evidence_of(carry, ids, num_rows) > 0
