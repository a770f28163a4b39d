"""The default search rule: a hypothesis may end only near the number of fired tokens.

At every step the beam keeps the best candidates that are not `</s>`, and each running hypothesis's `</s>` extension
is set aside. With N fired tokens in the segment, the result is the best of those set aside at steps N - 3 to N + 2.
So long audio cannot end early, and no ended hypothesis has to be kept for more than a few steps.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from uniasr.decoding.hotwords import HotwordScorer
from uniasr.decoding.hypotheses import SOS, Ended, Path, best_extensions, final_order
from uniasr.decoding.scorers import Guide
from uniasr.types import F32, F64, I64, Bool

Number = TypeVar("Number", bound=np.generic)

EARLY = 3
"""A hypothesis may end this many steps before step N, where N is the number of fired tokens."""
LATE = 2
"""A hypothesis may end this many steps after step N."""
MAX_UNCOMMITTED = 32
"""Tokens that may stay undecided; must exceed EARLY + LATE + 1, by which a hypothesis set aside can be shorter."""


class GatedSearch:
    """The gated search of one segment; see `beam.Search` for the methods.

    Running hypotheses and those set aside are rows of the same arrays: rows 0 to B - 1 run, best first, the others
    are set aside, in the order of their steps. The arrays hold only the tokens after the committed prefix, padded
    with -1 behind the end of a hypothesis, so that a step costs the same however long the segment is.
    """

    def __init__(
        self, beam_size: int, *, penalty: float = 0.0, length_norm: float = 0.0, guide: Guide | None = None
    ) -> None:
        self.steps = 0
        self._beam = beam_size
        self._penalty = penalty
        self._length_norm = length_norm
        self._fired = 0
        self._prefix = _Prefix()
        self._ids: I64 = np.empty((beam_size, 0), np.int64)
        self._log_probs: F32 = np.empty((beam_size, 0), np.float32)
        self._scores: F64 = np.where(np.arange(beam_size) == 0, 0.0, -np.inf)
        self._lengths: I64 = np.zeros(beam_size, np.int64)  # tokens in all; when set aside, also its step
        self._last: I64 = np.full(beam_size, SOS)
        self._guide = guide or Guide(beam_size)

    def ready(self, fired: int, weight: float, ended: bool) -> bool:
        """Whether token `steps` has fired, or the end is known and step N + 2 is not yet taken."""
        self._fired = fired
        return self.steps < fired or (ended and fired > 0 and self.steps <= fired + LATE)

    def last_tokens(self) -> I64:
        """[B] input tokens of the next step."""
        return self._last

    def step(self, log_probs: F32, ids: I64, end_log_probs: F32) -> I64:
        """Set the `</s>` extensions aside, extend the others, commit what is decided; returns the parents [B]."""
        beam, scores, guidance = self._beam, self._scores, self._guide.score(log_probs, ids)
        found = best_extensions(scores[:beam], log_probs, ids, penalty=self._penalty, with_end=False, guidance=guidance)
        live = np.flatnonzero(scores[:beam] > -np.inf)
        # N is not known before the end, but then at least the token of this step has fired, so N > steps; the number
        # fired decides only in steps after the end, where it is final: when it became known makes no difference
        first = min(self.steps + 1, self._fired) - EARLY
        kept = beam + np.flatnonzero(self._lengths[beam:] >= first)
        rows = np.concatenate([found.parents, kept, live])
        ending = scores[live] + end_log_probs[live] + self._penalty
        if guidance is not None:
            ending += guidance.endings[live]
        self._scores = np.concatenate([found.scores, scores[kept], ending])
        self._lengths = self._lengths[rows]
        self._lengths[:beam] += 1
        self._ids = _with_column(self._ids[rows], found.ids, -1)
        self._log_probs = _with_column(self._log_probs[rows], found.log_probs, 0.0)
        self._last = found.ids
        self._guide.follow(guidance, found.parents, found.columns)
        self.steps += 1
        self._commit()
        return found.parents

    def running(self) -> Path:
        """Give the best hypothesis so far, from the start of the segment.

        Every running hypothesis has a token for the last firing, which may be that of `</s>`: one that was set aside
        in the last step is better where it scores higher.
        """
        beam = self._beam
        ended = np.where(self._lengths[beam:] == self.steps - 1, self._scores[beam:], -np.inf)
        if len(ended) and ended.max() > self._scores[0]:
            return Path(*self._tokens(beam + int(ended.argmax())))
        return Path(*self._tokens(0))

    def committed(self) -> int:
        """Count the leading tokens that all hypotheses share and that never change again."""
        return self._prefix.length

    def results(self, nbest: int) -> list[Ended]:
        """At most min(nbest, B) hypotheses, best first; an empty list if no token fired. Ask after the last step."""
        rows = self._beam + np.flatnonzero(self._scores[self._beam :] > -np.inf)
        order = final_order(self._scores[rows], self._lengths[rows], self._length_norm)
        best = rows[order][: min(nbest, self._beam)]
        return [Ended(*self._tokens(row), score=float(self._scores[row])) for row in best]

    @property
    def whole_vocabulary(self) -> bool:
        """Whether `step` wants all tokens."""
        return self._guide.whole_vocabulary

    def set_hotwords(self, scorer: HotwordScorer | None) -> None:
        """Listen for other words from the next step on; what is begun of the old ones is worth nothing any more."""
        self._scores[: self._beam] += self._guide.exchange("hotwords", scorer)

    def _tokens(self, row: int) -> tuple[I64, F32]:
        prefix = self._prefix.path()
        count = self._lengths[row] - self._prefix.length
        ids = np.concatenate([prefix.ids, self._ids[row, :count]])
        return ids, np.concatenate([prefix.log_probs, self._log_probs[row, :count]])

    def _commit(self) -> None:
        """Move the tokens that all living hypotheses share to the prefix; force a decision when it is overdue."""
        same = self._ids == self._ids[0]
        count = _leading(same[self._scores > -np.inf].all(axis=0))
        if same.shape[1] - count > MAX_UNCOMMITTED:
            self._scores[~same[:, count]] = -np.inf
            count = _leading(same[self._scores > -np.inf].all(axis=0))
        if count:
            self._prefix.append(self._ids[0, :count], self._log_probs[0, :count])
            self._ids = self._ids[:, count:]
            self._log_probs = self._log_probs[:, count:]


class _Prefix:
    """The committed tokens; grows at its end only."""

    def __init__(self) -> None:
        self.length = 0
        self._parts = [Path(np.empty(0, np.int64), np.empty(0, np.float32))]

    def append(self, ids: I64, log_probs: F32) -> None:
        self.length += len(ids)
        self._parts.append(Path(ids.copy(), log_probs.copy()))

    def path(self) -> Path:
        """Give all tokens; joins the parts that came since the last call."""
        if len(self._parts) > 1:
            ids = np.concatenate([part.ids for part in self._parts])
            self._parts = [Path(ids, np.concatenate([part.log_probs for part in self._parts]))]
        return self._parts[0]


def _with_column(table: NDArray[Number], top: NDArray[Number], fill: float) -> NDArray[Number]:
    """Give the table [n, W] with one more column: `top` for the first rows, `fill` for the others."""
    column = np.full((len(table), 1), fill, table.dtype)
    column[: len(top), 0] = top
    return np.concatenate([table, column], axis=1)


def _leading(flags: Bool) -> int:
    """Count the True before the first False."""
    return len(flags) if flags.all() else int(flags.argmin())
