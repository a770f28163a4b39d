"""Shallow fusion: a language model's log-probabilities, weighted, beside those of the recogniser.

Source: the published system's `lm_weight` (FunASR 0.2.0 beam_search.py); every token of the vocabulary is a candidate,
so the sum is exact and not one over what the recogniser finds likely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from uniasr.decoding.hypotheses import EOS, SOS
from uniasr.decoding.scorers import Scored
from uniasr.types import F32, F64, I64


class LanguageModel(Protocol):
    """What comes next, for many hypotheses of one length. Immutable: what it remembers of a hypothesis is a state."""

    vocab_size: int

    def start(self, beam: int) -> Any:
        """State of `beam` hypotheses without a token."""
        ...

    def predict(self, state: Any, tokens: I64) -> tuple[F32, Any]:
        """Natural log-probabilities [B, V] of the next token after tokens [B], and the state with these tokens."""
        ...

    def select(self, state: Any, parents: I64) -> Any:
        """State of the hypotheses at `parents` [B]."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    tokens: I64
    """[B] last tokens, which the model has not seen yet."""
    model: Any


@dataclass(frozen=True, slots=True)
class LmScorer:
    """Adds `weight` times what a language model says; see `scorers.Scorer`."""

    model: LanguageModel
    weight: float

    @property
    def whole_vocabulary(self) -> bool:
        """All tokens are candidates."""
        return True

    def start(self, beam: int) -> _State:
        """Hypotheses that begin with `<s>`."""
        return _State(np.full(beam, SOS), self.model.start(beam))

    def score(self, state: _State, log_probs: F32, ids: I64) -> Scored:
        """Weighted log-probabilities of the candidates [B, K] and of `</s>` [B]."""
        own, after = self.model.predict(state.model, state.tokens)
        weighted = self.weight * own.astype(np.float64)
        return Scored(np.take_along_axis(weighted, ids, axis=1), weighted[:, EOS], None, (ids, after))

    def follow(self, scored: Scored, parents: I64, columns: I64) -> _State:
        """The chosen tokens are looked at in the next step."""
        ids, after = scored.state
        return _State(ids[parents, columns], self.model.select(after, parents))

    def refund(self, state: _State) -> F64:
        """Nothing is lent."""
        return np.zeros(len(state.tokens))
