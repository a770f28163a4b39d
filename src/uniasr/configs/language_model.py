"""Sizes of the language models that 0.x directories carry: a causal transformer and a recurrent network.

Defaults are those of the published system (FunASR 0.2.0 funasr/lm/transformer_lm.py, seq_rnn_lm.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MOST = 2**20
"""Of any size; a larger one comes from a damaged file."""


@dataclass(frozen=True, slots=True)
class TransformerLmConfig:
    """A pre-norm transformer over all tokens so far. Raises ValueError for impossible sizes."""

    vocab_size: int
    pos_enc: Literal["sinusoidal"] | None = None
    embed_unit: int = 128
    att_unit: int = 256
    head: int = 2
    unit: int = 1024
    layer: int = 4

    def __post_init__(self) -> None:
        for name in ("vocab_size", "embed_unit", "att_unit", "head", "unit", "layer"):
            _check(name, getattr(self, name))
        if self.att_unit % self.head or (self.pos_enc and self.att_unit % 2):
            raise ValueError(f"att_unit is {self.att_unit}; it must be even and a multiple of head, {self.head}")
        if self.pos_enc not in (None, "sinusoidal"):
            raise ValueError(f"pos_enc is {self.pos_enc!r:.80}; choose 'sinusoidal' or None")


@dataclass(frozen=True, slots=True)
class RecurrentLmConfig:
    """An LSTM, GRU or plain recurrent network. Raises ValueError for impossible sizes."""

    vocab_size: int
    unit: int = 650
    nhid: int | None = None
    nlayers: int = 2
    tie_weights: bool = False
    rnn_type: Literal["lstm", "gru", "rnn_tanh", "rnn_relu"] = "lstm"

    def __post_init__(self) -> None:
        for name in ("vocab_size", "unit", "hidden", "nlayers"):
            _check(name, getattr(self, name))
        if self.rnn_type not in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
            raise ValueError(f"rnn_type is {self.rnn_type!r:.80}; choose 'lstm', 'gru', 'rnn_tanh' or 'rnn_relu'")
        if self.tie_weights and self.hidden != self.unit:
            raise ValueError(f"tie_weights needs nhid, {self.hidden}, to be unit, {self.unit}")

    @property
    def hidden(self) -> int:
        """Width of the recurrent layers."""
        return self.unit if self.nhid is None else self.nhid


LanguageModelConfig: TypeAlias = TransformerLmConfig | RecurrentLmConfig


def _check(name: str, value: int) -> None:
    if not 1 <= value <= MOST:
        raise ValueError(f"{name} is {value}; it must lie in 1 to {MOST}")
