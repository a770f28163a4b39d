"""Autoregressive FSMN decoder with SCAMA cross-attention: one step for the search, the whole sequence for training.

Source: SCAMA arXiv 2006.01712; funasr 1.4.16 funasr/models/scama/decoder.py.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from uniasr.configs.uniasr import DecoderConfig
from uniasr.networks.layers.attention import MASKED, attend, head_scale, split_heads
from uniasr.networks.layers.dropout import Dropout
from uniasr.networks.layers.sanm import LAYER_NORM_EPS


class NormedFeedForward(nn.Module):
    """W2 LN(relu(W1 x)): the decoder's feed-forward has a norm inside and no last bias."""

    def __init__(self, input_size: int, hidden: int, size: int, dropout: float) -> None:
        super().__init__()
        self.w_1 = nn.Linear(input_size, hidden)
        self.norm = nn.LayerNorm(hidden, eps=LAYER_NORM_EPS)
        self.w_2 = nn.Linear(hidden, size, bias=False)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., input_size] -> [..., size]."""
        return self.w_2(self.dropout(self.norm(torch.relu(self.w_1(x)))))  # type: ignore[no-any-return]


class PlainLayer(nn.Module):
    """Norm and feed-forward without residual: the decoder's first (concatenation) and last layer."""

    def __init__(self, input_size: int, config: DecoderConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(input_size, eps=LAYER_NORM_EPS)
        self.feed_forward = NormedFeedForward(input_size, config.linear_units, config.attention_dim, config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., input_size] -> [..., attention_dim]."""
        return self.feed_forward(self.norm1(x)).to(x.dtype)  # type: ignore[no-any-return]


class CausalMemory(nn.Module):
    """Depthwise convolution over the current and the kernel_size - 1 steps before, plus the current step."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        size = config.attention_dim
        self.fsmn_block = nn.Conv1d(size, size, config.kernel_size, groups=size, bias=False)
        self.dropout = Dropout(config.self_attention_dropout)

    def sequence(self, t: Tensor) -> Tensor:
        """All steps at once, [B, L, D]."""
        padded = functional.pad(t.transpose(1, 2), (self.fsmn_block.kernel_size[0] - 1, 0))
        return self.dropout(self.fsmn_block(padded).transpose(1, 2) + t)  # type: ignore[no-any-return]

    def taps(self) -> Tensor:
        """Weights of the steps before and of the current one, [kernel_size, D], oldest first."""
        return self.fsmn_block.weight.squeeze(1).transpose(0, 1)

    def step(self, t: Tensor, earlier: Tensor) -> Tensor:
        """The current step [U, B, D], given what the taps make of the steps before it [U, B, D]."""
        return earlier + t * self.taps()[-1] + t


class CrossAttention(nn.Module):
    """Attention to encoder rows whose keys and values are computed once."""

    def __init__(self, config: DecoderConfig, memory_size: int) -> None:
        super().__init__()
        size = config.attention_dim
        self.heads = config.attention_heads
        self.scale = head_scale(size, self.heads)
        self.linear_q = nn.Linear(size, size)
        self.linear_k_v = nn.Linear(memory_size, 2 * size)
        self.linear_out = nn.Linear(size, size)
        self.dropout = Dropout(config.src_attention_dropout)

    def project(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Encoder rows [B, T, E] -> keys [B, H, D / H, T] and values [B, H, T, D / H]."""
        keys, values = self.linear_k_v(rows).chunk(2, dim=-1)
        return split_heads(keys, self.heads).transpose(2, 3), split_heads(values, self.heads)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Queries [B, Q, D] -> [B, Q, D]."""
        queries = split_heads(self.linear_q(x) * self.scale, self.heads)
        return self.linear_out(attend(queries, keys, values, bias, self.dropout))  # type: ignore[no-any-return]


class DecoderLayer(nn.Module):
    """Feed-forward, causal memory and, in the first layers, cross-attention."""

    def __init__(self, config: DecoderConfig, memory_size: int | None) -> None:
        super().__init__()
        size = config.attention_dim
        self.norm1 = nn.LayerNorm(size, eps=LAYER_NORM_EPS)
        self.feed_forward = NormedFeedForward(size, config.linear_units, size, config.dropout)
        self.norm2 = nn.LayerNorm(size, eps=LAYER_NORM_EPS)
        self.self_attn = CausalMemory(config)
        self.dropout = Dropout(config.dropout)
        if memory_size is not None:
            self.norm3 = nn.LayerNorm(size, eps=LAYER_NORM_EPS)
            self.src_attn = CrossAttention(config, memory_size)

    def inner(self, x: Tensor) -> Tensor:
        """What the causal memory sees of a step."""
        return self.norm2(self.feed_forward(self.norm1(x)))  # type: ignore[no-any-return]

    def look(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Cross-attention with its residual."""
        return x + self.dropout(self.src_attn(self.norm3(x), keys, values, bias))  # type: ignore[no-any-return]


class ScamaDecoder(nn.Module):
    """Next-token log-probabilities from the tokens so far, the acoustic embedding of the step and encoder rows."""

    def __init__(self, config: DecoderConfig, vocab_size: int, memory_size: int) -> None:
        super().__init__()
        self.config = config
        size = config.attention_dim
        self.embed = nn.ModuleList([nn.Embedding(vocab_size, size)])
        if config.concat_embeds:
            self.embed_concat_ffn = nn.ModuleList([PlainLayer(size + memory_size, config)])
        attending = config.att_layer_num
        self.decoders = nn.ModuleList([DecoderLayer(config, memory_size) for _ in range(attending)])
        if config.num_blocks > attending:
            self.decoders2 = nn.ModuleList([DecoderLayer(config, None) for _ in range(config.num_blocks - attending)])
        self.decoders3 = nn.ModuleList([PlainLayer(size, config)])
        self.after_norm = nn.LayerNorm(size, eps=LAYER_NORM_EPS)
        self.output_layer = nn.Linear(size, vocab_size)

    @property
    def layers(self) -> list[DecoderLayer]:
        """Layers with a causal memory, in order; the first `att_layer_num` have cross-attention."""
        return cast("list[DecoderLayer]", [*self.decoders, *getattr(self, "decoders2", [])])

    def memory(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Keys [C, layers, H, D / H, K] and values [C, layers, H, K, D / H] of encoder rows [C, K, E]."""
        projected = [layer.src_attn.project(rows) for layer in self.layers[: len(self.decoders)]]
        return torch.stack([k for k, _ in projected], dim=1), torch.stack([v for _, v in projected], dim=1)

    def step(
        self, tokens: Tensor, acoustic: Tensor, keys: Tensor, values: Tensor, window: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step of all hypotheses of U utterances; the beam is the query axis of the cross-attention.

        Args:
            tokens: [U, B] ids of the previous step.
            acoustic: [U, E] fired embedding of this step (0 beyond the last firing).
            keys: of the W rows that this step may see, as `memory` lays them out.
            values: of the same rows.
            window: [U, W] of 1.0 for rows that count.
            cache: [U, B, layers, kernel_size - 1, D] inputs of the causal memories, oldest first.

        Returns:
            Log-probabilities [U, B, V] and the next cache.
        """
        x = self.embedded(tokens, acoustic[:, None].expand(-1, tokens.shape[1], -1))
        bias = ((1.0 - window) * MASKED)[:, None, None, :]
        # The causal memories' share of earlier steps, of all layers at once: a step is many small operations.
        taps = torch.stack([layer.self_attn.taps()[:-1] for layer in self.layers])
        earlier = (cache * taps).sum(dim=3)  # [U, B, layers, D]
        inner = []
        for index, layer in enumerate(self.layers):
            inner.append(layer.inner(x))
            x = x + layer.self_attn.step(inner[-1], earlier[:, :, index])
            if index < len(self.decoders):
                x = layer.look(x, keys[:, index], values[:, index], bias)
        return self.scored(x), torch.cat([cache[:, :, :, 1:], torch.stack(inner, dim=2)[:, :, :, None]], dim=3)

    def sequence(self, tokens: Tensor, acoustic: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
        """All steps of known tokens: log-probabilities [B, L, V].

        Args:
            tokens: [B, L] ids, `<s>` first.
            acoustic: [B, L, E].
            rows: [B, T, E] encoder rows.
            seen: [B, L, T] whether a step may attend to a row. A step that sees no row attends to a zero value.
        """
        x = self.embedded(tokens, acoustic)
        bias = torch.where(torch.cat([seen, ~seen.any(-1, keepdim=True)], dim=-1), 0.0, MASKED)[:, None]
        for index, layer in enumerate(self.layers):
            x = x + layer.dropout(layer.self_attn.sequence(layer.inner(x)))
            if index < len(self.decoders):
                keys, values = layer.src_attn.project(rows)
                x = layer.look(x, functional.pad(keys, (0, 1)), functional.pad(values, (0, 0, 0, 1)), bias)
        return self.scored(x)

    def embedded(self, tokens: Tensor, acoustic: Tensor) -> Tensor:
        """Input of the first layer from tokens [.., L] and acoustic embeddings [.., L, E]."""
        x = self.embed[0](tokens)
        if self.config.concat_embeds:
            x = self.embed_concat_ffn[0](torch.cat([x, acoustic], dim=-1))
        return x  # type: ignore[no-any-return]

    def scored(self, x: Tensor) -> Tensor:
        """Log-probabilities of the vocabulary."""
        return torch.log_softmax(self.output_layer(self.after_norm(self.decoders3[0](x))).float(), dim=-1)
