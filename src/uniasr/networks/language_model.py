"""The language models of 0.x directories, with the published parameter names, as one step of a search sees them.

A step takes the last token of each hypothesis and what the network keeps of those before, and gives the
log-probabilities of all next tokens. Whole sentences are steps in a row.
Source: FunASR 0.2.0 funasr/lm/transformer_lm.py, funasr/lm/seq_rnn_lm.py.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from uniasr.configs.language_model import LanguageModelConfig, RecurrentLmConfig, TransformerLmConfig
from uniasr.networks.graphs import Graph
from uniasr.networks.layers.attention import MASKED, attend, head_scale
from uniasr.networks.layers.sanm import LAYER_NORM_EPS, FeedForward

EMBED_NORM_EPS = 1e-5


class _Attention(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.linear_q = nn.Linear(size, size)
        self.linear_k = nn.Linear(size, size)
        self.linear_v = nn.Linear(size, size)
        self.linear_out = nn.Linear(size, size)


class _Layer(nn.Module):
    """Pre-norm self-attention and feed-forward on one new position."""

    def __init__(self, config: TransformerLmConfig) -> None:
        super().__init__()
        self.heads, self.head_size = config.head, config.att_unit // config.head
        self.scale = head_scale(config.att_unit, config.head)
        self.self_attn = _Attention(config.att_unit)
        self.feed_forward = FeedForward(config.att_unit, config.unit, 0.0)
        self.norm1 = nn.LayerNorm(config.att_unit, eps=LAYER_NORM_EPS)
        self.norm2 = nn.LayerNorm(config.att_unit, eps=LAYER_NORM_EPS)
        self.no_dropout = nn.Identity()

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, D] and the past [N, H, d, L], [N, H, L, d] -> [N, D] and the past with this position."""
        own = self.norm1(x)
        shape = (-1, self.heads, 1, self.head_size)
        queries = self.self_attn.linear_q(own).reshape(shape) * self.scale
        keys = torch.cat([keys, self.self_attn.linear_k(own).reshape(shape).transpose(2, 3)], dim=3)
        values = torch.cat([values, self.self_attn.linear_v(own).reshape(shape)], dim=2)
        seen = attend(queries, keys, values, bias, self.no_dropout)
        x = x + self.self_attn.linear_out(seen.squeeze(1))
        return x + self.feed_forward(self.norm2(x)), keys, values


class _Encoder(nn.Module):
    def __init__(self, config: TransformerLmConfig) -> None:
        super().__init__()
        self.embed = nn.Sequential(
            nn.Linear(config.embed_unit, config.att_unit),
            nn.LayerNorm(config.att_unit, eps=EMBED_NORM_EPS),
            nn.Identity(),  # dropout in training
            nn.ReLU(),
        )
        self.encoders = nn.ModuleList(_Layer(config) for _ in range(config.layer))
        self.after_norm = nn.LayerNorm(config.att_unit, eps=LAYER_NORM_EPS)


class TransformerLm(nn.Module):
    """One step of the transformer. Position codes are optional: without them the order is known by the mask alone."""

    def __init__(self, config: TransformerLmConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.embed_unit)
        self.encoder = _Encoder(config)
        self.decoder = nn.Linear(config.att_unit, config.vocab_size)

    def forward(
        self, tokens: Tensor, position: Tensor, seen: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Log-probabilities [N, V] after tokens [N], and the next state.

        Args:
            tokens: [N].
            position: [N, 1] tokens before this one, as numbers with a fraction.
            seen: [N, L] 1 where attention looks; blank (0) is not looked at.
            keys: [N, layers, H, d, L].
            values: [N, layers, H, L, d].
        """
        x = self.encoder.embed(self.embed(tokens))
        if self.config.pos_enc:
            x = x * math.sqrt(self.config.att_unit) + self._codes(position)
        seen = torch.cat([seen, (tokens != 0).to(seen.dtype)[:, None]], dim=1)
        bias = (1.0 - seen)[:, None, None] * MASKED
        new_keys, new_values = [], []
        for number, layer in enumerate(self.encoder.encoders):
            x, own_keys, own_values = layer(x, keys[:, number], values[:, number], bias)
            new_keys.append(own_keys)
            new_values.append(own_values)
        log_probs = torch.log_softmax(self.decoder(self.encoder.after_norm(x)), dim=-1)
        return log_probs, position + 1.0, seen, torch.stack(new_keys, dim=1), torch.stack(new_values, dim=1)

    def _codes(self, position: Tensor) -> Tensor:
        """[N, 1] -> [N, D]: sines and cosines in turns."""
        size = self.config.att_unit
        frequencies = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000.0) / size))
        angles = position * frequencies.to(position)
        return torch.stack([torch.sin(angles), torch.cos(angles)], dim=-1).flatten(1)


class RecurrentLm(nn.Module):
    """One step of the recurrent network. `cell` is passed through where the kind has none."""

    def __init__(self, config: RecurrentLmConfig) -> None:
        super().__init__()
        self.config = config
        kinds: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU}
        plain = {} if config.rnn_type in kinds else {"nonlinearity": config.rnn_type.removeprefix("rnn_")}
        self.encoder = nn.Embedding(config.vocab_size, config.unit, padding_idx=0)
        self.rnn = kinds.get(config.rnn_type, nn.RNN)(config.unit, config.hidden, config.nlayers, **plain)
        self.decoder = nn.Linear(config.hidden, config.vocab_size)

    def forward(self, tokens: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probabilities [N, V] after tokens [N], and the next state [N, layers, hidden] twice."""
        x, hidden = self.encoder(tokens)[None], hidden.transpose(0, 1).contiguous()
        if self.config.rnn_type == "lstm":
            out, (hidden, next_cell) = self.rnn(x, (hidden, cell.transpose(0, 1).contiguous()))
            cell = next_cell.transpose(0, 1)
        else:
            out, hidden = self.rnn(x, hidden)
            cell = cell + 0.0  # an output of its own, or the exported graph would have a name too few
        return torch.log_softmax(self.decoder(out[0]), dim=-1), hidden.transpose(0, 1), cell


def build_language_model(config: LanguageModelConfig) -> TransformerLm | RecurrentLm:
    """The network of a configuration, with weights still to be loaded."""
    return TransformerLm(config) if isinstance(config, TransformerLmConfig) else RecurrentLm(config)


def language_model_graph(network: TransformerLm | RecurrentLm) -> Graph:
    """The one graph of a language model, `lm` (docs/language-models.md)."""
    config = network.config
    count, past = {0: "N"}, 3
    axes: dict[str, dict[int, str]]
    shapes: tuple[tuple[int, ...], ...]
    if isinstance(config, TransformerLmConfig):
        heads = (2, config.layer, config.head)
        size = config.att_unit // config.head
        axes = {"position": count, "seen": {0: "N", 1: "L"}, "keys": {0: "N", 4: "L"}, "values": {0: "N", 3: "L"}}
        shapes = ((2, 1), (2, past), (*heads, size, past), (*heads, past, size))
    else:
        axes = {"hidden": count, "cell": count}
        shapes = ((2, config.nlayers, config.hidden), (2, config.nlayers, config.hidden))
    return Graph(
        network,
        ("tokens", *axes),
        ("log_probs", *(f"next_{name}" for name in axes)),
        {"tokens": count, "log_probs": count, **axes, **{f"next_{name}": axes[name] for name in axes}},
        lambda: (torch.ones(2, dtype=torch.int64), *(torch.ones(shape) for shape in shapes)),
    )
