"""What is added to the model's scores while the search runs: hotwords, language models.

A scorer is immutable; what it knows of the beam is a state that the search's `Guide` carries. Each step asks it once,
for all hypotheses and candidates together:

    scored = scorer.score(state, log_probs, ids)        # before the choice of candidates
    state = scorer.follow(scored, parents, columns)     # after it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from uniasr.types import F32, F64, I64


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scorer says about one step."""

    additions: F64
    """[B, K] for each candidate."""
    endings: F64
    """[B] for the end of each hypothesis here."""
    lent: F64 | None
    """[B, K] what of `additions` may have to be taken back later; None where nothing is."""
    state: Any
    """What `follow` needs to know; of the scorer's own kind."""


class Scorer(Protocol):
    """Adds to the scores of candidates."""

    @property
    def whole_vocabulary(self) -> bool:
        """Whether every token shall be a candidate, not only those that the model finds likely."""
        ...

    def start(self, beam: int) -> Any:
        """State of `beam` empty hypotheses."""
        ...

    def score(self, state: Any, log_probs: F32, ids: I64) -> Scored:
        """Look at the candidates [B, K] of all hypotheses; those of dead ones may get anything finite."""
        ...

    def follow(self, scored: Scored, parents: I64, columns: I64) -> Any:
        """State of new hypotheses: parents [B] extended by their candidates [B]; dead ones may get any."""
        ...

    def refund(self, state: Any) -> F64:
        """[B] to take back what was added for what is not complete."""
        ...


class Guide:
    """The scorers of one search, and what they know of its beam. Without scorers it costs nothing."""

    def __init__(self, beam: int, scorers: Mapping[str, Scorer | None] | None = None) -> None:
        self._beam = beam
        self._scorers = {name: scorer for name, scorer in (scorers or {}).items() if scorer is not None}
        self._states = {name: scorer.start(beam) for name, scorer in self._scorers.items()}

    @property
    def whole_vocabulary(self) -> bool:
        """Whether one of the scorers asks for all tokens."""
        return any(scorer.whole_vocabulary for scorer in self._scorers.values())

    def score(self, log_probs: F32, ids: I64) -> Guidance | None:
        """Look at the candidates [B, K]; None when there are no scorers."""
        if not self._scorers:
            return None
        scored = {name: scorer.score(self._states[name], log_probs, ids) for name, scorer in self._scorers.items()}
        additions, endings = zip(*((part.additions, part.endings) for part in scored.values()), strict=True)
        lent = next((part.lent for part in scored.values() if part.lent is not None), None)
        return Guidance(sum(additions[1:], additions[0]), sum(endings[1:], endings[0]), lent, scored)

    def follow(self, guidance: Guidance | None, parents: I64, columns: I64) -> None:
        """Go on with the hypotheses that the search has chosen."""
        if guidance is not None:
            for name, scorer in self._scorers.items():
                self._states[name] = scorer.follow(guidance.scored[name], parents, columns)

    def refund(self) -> F64:
        """[B] to add when the hypotheses are made to end here."""
        return sum((scorer.refund(self._states[name]) for name, scorer in self._scorers.items()), np.zeros(self._beam))

    def exchange(self, name: str, scorer: Scorer | None) -> F64:
        """Put a scorer in the place of the one of that name from here on; gives what to add to the scores [B]."""
        old, state = self._scorers.pop(name, None), self._states.pop(name, None)
        if scorer is not None:
            self._scorers[name], self._states[name] = scorer, scorer.start(self._beam)
        return np.zeros(self._beam) if old is None else old.refund(state)


@dataclass(frozen=True, slots=True)
class Guidance:
    """What all scorers say about one step."""

    additions: F64
    """[B, K]"""
    endings: F64
    """[B]"""
    lent: F64 | None
    """[B, K]"""
    scored: Mapping[str, Scored]
