"""Token-synchronous beam search of one segment: what a search looks like to the recogniser, and how to get one.

A search owns only small arrays. The caller runs the decoder, for the searches of many utterances at once:

    while search.ready(fired, weight, ended):
        ...                                  # one decoder step with search.last_tokens(), step number search.steps
        parents = search.step(log_probs, ids, end_log_probs)
        ...                                  # reorder the decoder's caches by parents

The rules are in `gated.py` and `reference.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from uniasr.decoding.gated import GatedSearch
from uniasr.decoding.hotwords import HotwordScorer
from uniasr.decoding.hypotheses import EOS, SOS, Ended, Path
from uniasr.decoding.reference import ReferenceSearch
from uniasr.decoding.scorers import Guide, Scorer
from uniasr.types import F32, I64, DecodingOptions

__all__ = ["EOS", "SOS", "Ended", "Path", "Scorers", "Search", "start_search"]


@dataclass(frozen=True, slots=True)
class Scorers:
    """What guides a search beside the model."""

    hotwords: HotwordScorer | None = None
    lm: Scorer | None = None


class Search(Protocol):
    """The search of one segment. `B` is `beam_size` throughout; dead hypotheses fill the beam."""

    steps: int
    """Steps taken; also the number of the next one, from 0."""

    @property
    def whole_vocabulary(self) -> bool:
        """Whether `step` wants all tokens as candidates."""
        ...

    def ready(self, fired: int, weight: float, ended: bool) -> bool:
        """Whether the next step may be taken now; ask before each `step`.

        Args:
            fired: tokens fired so far in the segment; never less than before.
            weight: weight of the unfinished token, so that `fired + weight` is the sum of the alphas.
            ended: whether the segment is complete, so that the two numbers are final.

        When it is asked, and how often, has no influence on the result.
        """
        ...

    def last_tokens(self) -> I64:
        """[B] input tokens of the next step: `<s>` before the first; any valid id for a dead hypothesis."""
        ...

    def step(self, log_probs: F32, ids: I64, end_log_probs: F32) -> I64:
        """Extend every hypothesis by a token.

        Args:
            log_probs: [B, K] best log-probabilities, descending, ties by lower id; K >= min(V, B + 1). All of them in
                the order of the ids where `whole_vocabulary` says so.
            ids: [B, K] their tokens.
            end_log_probs: [B] log-probability of `</s>`.

        Returns:
            [B] for each new hypothesis the old one it extends; 0 for dead ones.
        """
        ...

    def set_hotwords(self, scorer: HotwordScorer | None) -> None:
        """Listen for other words from the next step on."""
        ...

    def running(self) -> Path:
        """Give the best running hypothesis, from the start of the segment."""
        ...

    def committed(self) -> int:
        """Leading tokens of `running()` that never change again, in it or in any result."""
        ...

    def results(self, nbest: int) -> list[Ended]:
        """Give the ended hypotheses after the last step, best first; none if no token fired."""
        ...


def start_search(options: DecodingOptions, scorers: Scorers | None = None) -> Search:
    """Make a new search by the rule that the options name."""
    guide = Guide(options.beam_size, {"hotwords": scorers.hotwords, "lm": scorers.lm} if scorers else None)
    if options.search == "reference":
        return ReferenceSearch(
            options.beam_size,
            token_num_relax=options.token_num_relax,
            penalty=options.penalty,
            length_norm=options.length_norm,
            guide=guide,
        )
    return GatedSearch(options.beam_size, penalty=options.penalty, length_norm=options.length_norm, guide=guide)
