"""Continuous integrate-and-fire: which rows complete a token, and the acoustic embedding of each token.

The weights (alphas) come from the network; this module only integrates them, one chunk of kept rows at a time.
Source: Dong and Xu 2020 (arXiv 1905.11235); FunASR 1.4.16 `cif_v1`. Unlike the latter it decides in float64 and adds
each token's rows one after another instead of subtracting long prefix sums, so its error does not grow with the audio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.types import F32, F64, I64, Bool


@dataclass(frozen=True, slots=True)
class CifCarry:
    """What CIF keeps between two chunks."""

    weight: float
    """Weight of the unfinished token, in [0, 1). The sum of all alphas is `fired + weight`."""
    embedding: F64
    """[d] weighted sum of the rows of the unfinished token."""
    fired: int = 0
    """Tokens fired so far."""
    row: int = 0
    """Rows consumed so far."""


@dataclass(frozen=True, slots=True)
class Firings:
    """The tokens that one call completes, in order; `n` may be 0."""

    rows: I64
    """[n] firing row, counted from the first row of the call."""
    embeddings: F32
    """[n, d] acoustic embeddings."""
    ends: F64
    """[n] firing position in rows from row 0 of the first call: the row, and the share of its weight, in (0, 1], that
    the token still needed."""


def start_cif(size: int) -> CifCarry:
    """Make the carry before the first row, for encoder rows of `size` features."""
    return CifCarry(weight=0.0, embedding=np.zeros(size, np.float64))


def integrate(carry: CifCarry, alphas: F32, rows: F32) -> tuple[CifCarry, Firings]:
    """Tokens that the next rows complete.

    Args:
        carry: what the rows before left; `start_cif` at the beginning.
        alphas: [R] weight of each row, >= 0.
        rows: [R, d] encoder rows.

    Returns:
        The carry for the next call, and the firings.

    A row fires when the running sum passes an integer; what lies above the integer opens the next token. As in the
    reference a row fires at most once: should it pass two integers (possible only if its weight exceeds 1), the token
    takes all but the remainder above the second, which is then missing in `fired + weight`.
    """
    sums = np.cumsum(np.concatenate([[carry.weight], alphas]), dtype=np.float64)
    whole = np.floor(sums)
    fires = whole[1:] > whole[:-1]
    at = np.flatnonzero(fires)
    alphas64 = alphas.astype(np.float64)
    missing = 1.0 - (sums[at] - whole[at])  # weight that the token lacked before its firing row
    fractions = np.minimum(missing / alphas64[at], 1.0)
    remainders = sums[at + 1] - whole[at + 1]
    embeddings = _embeddings(carry.embedding, alphas64, rows, fires, remainders)
    firings = Firings(
        rows=at,
        embeddings=embeddings[:-1].astype(np.float32),
        ends=np.add(carry.row + at, fractions),
    )
    after = CifCarry(
        weight=float(sums[-1] - whole[-1]),
        embedding=embeddings[-1],
        fired=carry.fired + len(at),
        row=carry.row + len(alphas),
    )
    return after, firings


def _embeddings(opening: F64, alphas: F64, rows: F32, fires: Bool, remainders: F64) -> F64:
    """Weighted sums of the rows of each token, [n + 1, d]; the last one is the unfinished token's.

    A firing row stands twice in the list of summands: with the weight that closes a token and with the remainder
    that opens the next. The sums run in row order without a matrix product, whose bits depend on the thread count.
    """
    at = np.flatnonzero(fires)
    opens = at + np.arange(1, len(at) + 1)
    copies = 1 + fires
    weights = np.repeat(alphas, copies)
    weights[opens - 1] = alphas[at] - remainders
    weights[opens] = remainders
    summands = np.concatenate([opening[None], weights[:, None] * np.repeat(rows, copies, axis=0)])
    sums: F64 = np.add.reduceat(summands, np.concatenate([[0], opens + 1]), axis=0)
    return sums
