"""The search rule of the published system, kept for parity with it.

Ended hypotheses compete with longer ones for ever, and what still runs at `int(sum(alpha) + token_num_relax)` steps is
made to end there at no cost. It favours early ends on long audio, its memory grows with the audio, and nothing is
certain before the end. Source: FunASR 1.4.16 `BeamSearchScama` and `end_detect`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uniasr.decoding.hotwords import HotwordScorer
from uniasr.decoding.hypotheses import EOS, SOS, Ended, Path, best_extensions, final_order
from uniasr.decoding.scorers import Guide
from uniasr.types import F32, F64, I64

HOPELESS = -10.0
"""Ends that fall behind the best one by more than this, three steps running, stop the search."""


@dataclass(frozen=True, slots=True)
class _Node:
    """The last token of a hypothesis, linked to the ones before; hypotheses share their beginnings."""

    id: int
    log_prob: float
    before: _Node | None


@dataclass(frozen=True, slots=True)
class _End:
    """An ended hypothesis: its last token before the closing `</s>`, how many there are, and its score."""

    node: _Node | None
    length: int
    score: float


class ReferenceSearch:
    """The reference search of one segment; see `beam.Search` for the methods."""

    def __init__(
        self,
        beam_size: int,
        *,
        token_num_relax: int = 5,
        penalty: float = 0.0,
        length_norm: float = 0.0,
        guide: Guide | None = None,
    ) -> None:
        self.steps = 0
        self._relax = token_num_relax
        self._penalty = penalty
        self._length_norm = length_norm
        self._max_steps: int | None = None  # known at the end of the segment
        self._stopped = False
        self._nodes: list[_Node | None] = [None]  # last tokens of the running hypotheses, best first
        self._scores: F64 = np.where(np.arange(beam_size) == 0, 0.0, -np.inf)
        self._last: I64 = np.full(beam_size, SOS)
        self._ends: list[_End] = []
        self._guide = guide or Guide(beam_size)
        self._best_ends: list[float] = []  # best score among the natural ends of each step, -inf without one

    def ready(self, fired: int, weight: float, ended: bool) -> bool:
        """Whether the step's token has fired and the step cannot be the last one, or the end is known."""
        limit = int(fired + weight + self._relax)
        if ended:
            self._max_steps = limit
            return not self._stopped and fired > 0 and self.steps < limit
        return not self._stopped and self.steps < fired and self.steps + 1 < limit

    def last_tokens(self) -> I64:
        """[B] input tokens of the next step."""
        return self._last

    def step(self, log_probs: F32, ids: I64, end_log_probs: F32) -> I64:
        """Extend every hypothesis, `</s>` included among the candidates; returns the parents [B]."""
        guidance = self._guide.score(log_probs, ids)
        found = best_extensions(self._scores, log_probs, ids, penalty=self._penalty, with_end=True, guidance=guidance)
        last_step = self.steps + 1 == self._max_steps
        scores = found.scores
        if last_step and guidance is not None:
            self._guide.follow(guidance, found.parents, found.columns)
            scores = scores + self._guide.refund()
        running: list[int] = []
        nodes: list[_Node | None] = []
        best_end = -np.inf
        for i in range(int(np.count_nonzero(scores > -np.inf))):
            before, score = self._nodes[found.parents[i]], float(scores[i])
            node = _Node(int(found.ids[i]), float(found.log_probs[i]), before)
            if last_step:  # even a natural end gets another one
                self._ends.append(_End(node, self.steps + 1, score))
            elif node.id == EOS:
                self._ends.append(_End(before, self.steps, score))
                best_end = max(best_end, score)
            else:
                running.append(i)
                nodes.append(node)
        self._best_ends.append(best_end)
        self._nodes = nodes
        parents = self._refill(scores, found.ids, found.parents, running)
        columns = np.zeros_like(parents)
        columns[: len(running)] = found.columns[running]
        self._guide.follow(guidance, parents, columns)
        self._stopped = not running or self._hopeless()
        self.steps += 1
        return parents

    @property
    def whole_vocabulary(self) -> bool:
        """Whether `step` wants all tokens."""
        return self._guide.whole_vocabulary

    def set_hotwords(self, scorer: HotwordScorer | None) -> None:
        """Listen for other words from the next step on."""
        self._scores += self._guide.exchange("hotwords", scorer)

    def _refill(self, scores: F64, ids: I64, parents: I64, running: list[int]) -> I64:
        """Close the gaps that ended hypotheses leave in the beam, with dead ones at the end."""
        beam, count = len(scores), len(running)
        self._scores = np.full(beam, -np.inf)
        self._scores[:count] = scores[running]
        self._last = np.full(beam, SOS)
        self._last[:count] = ids[running]
        moved = np.zeros(beam, np.int64)
        moved[:count] = parents[running]
        return moved

    def _hopeless(self) -> bool:
        """Whether the natural ends of three steps are all far behind the best one.

        The reference compares lengths that include `<s>` and `</s>` with the step number: it looks at the steps two
        to four before this one.
        """
        recent = self._best_ends[max(self.steps - 4, 0) : max(self.steps - 1, 0)]
        best = max(self._best_ends)
        return len(recent) == 3 and all(-np.inf < score and score - best < HOPELESS for score in recent)

    def running(self) -> Path:
        """Give the best running hypothesis; once the search has stopped, the best ended one."""
        if self._stopped and self._ends:
            return self.results(1)[0]
        return Path(*_tokens(self._nodes[0] if self._nodes else None))

    def committed(self) -> int:
        """0 until the search has stopped, then all tokens."""
        return len(self.running().ids) if self._stopped else 0

    def results(self, nbest: int) -> list[Ended]:
        """Give the `nbest` best ended hypotheses; before a forced `</s>` a natural one stays, as in the reference."""
        scores = np.array([end.score for end in self._ends], np.float64)
        lengths = np.array([end.length for end in self._ends], np.int64)
        best = [self._ends[i] for i in final_order(scores, lengths, self._length_norm)[:nbest]]
        return [Ended(*_tokens(end.node), score=end.score) for end in best]


def _tokens(node: _Node | None) -> tuple[I64, F32]:
    """Collect the tokens up to a node, read backwards along its links."""
    nodes = []
    while node is not None:
        nodes.append(node)
        node = node.before
    nodes.reverse()
    return np.array([n.id for n in nodes], np.int64), np.array([n.log_prob for n in nodes], np.float32)
