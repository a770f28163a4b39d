"""SAN-M encoder over independent chunks: self-attention plus a depthwise memory, chunk by chunk.

The reference runs one sequence with T x T masks; cutting first gives the same numbers at linear cost.
Source: SAN-M arXiv 2006.01713; funasr 1.4.16 funasr/models/scama/encoder.py.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.configs.uniasr import EncoderConfig
from uniasr.networks.layers.attention import MASKED, attend, head_scale, split_heads
from uniasr.networks.layers.dropout import Dropout

LAYER_NORM_EPS = 1e-12


LayerShape: TypeAlias = EncoderConfig | CtTransformerConfig
"""Where a layer finds its widths, heads, kernel size and dropout."""


class LookBack(NamedTuple):
    """What chunks attend to beyond themselves: rows of earlier chunks, per layer.

    `keys` and `values` are [P, layers, S, D]: entry 0 is empty, the others are chunks of earlier calls.
    `predecessors` is [C, Be]: for each chunk of this call, places in [past ++ this call] of the chunks before it;
    place 0 means none.
    """

    keys: Tensor
    values: Tensor
    predecessors: Tensor


class FeedForward(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, size: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.w_1 = nn.Linear(size, hidden)
        self.w_2 = nn.Linear(hidden, size)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[..., D] -> [..., D]."""
        return self.w_2(self.dropout(torch.relu(self.w_1(x))))  # type: ignore[no-any-return]


class SelfAttention(nn.Module):
    """Multi-head self-attention of a chunk plus the FSMN memory of its values.

    `reach` is how many rows before and after the current one the memory sees; None for the same on both sides.
    """

    def __init__(self, input_size: int, config: LayerShape, reach: tuple[int, int] | None = None) -> None:
        super().__init__()
        size = config.output_size
        self.heads = config.attention_heads
        self.scale = head_scale(size, self.heads)
        self.linear_q_k_v = nn.Linear(input_size, 3 * size)
        self.linear_out = nn.Linear(size, size)
        before, after = reach or (config.kernel_size // 2, config.kernel_size // 2)
        self.uneven = None if before == after else (before, after)
        self.fsmn_block = nn.Conv1d(
            size, size, config.kernel_size, padding=0 if self.uneven else before, groups=size, bias=False
        )
        self.attention_dropout = Dropout(config.attention_dropout)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, valid: Tensor, bias: Tensor, layer: int, back: LookBack | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows [C, K, D], and this chunk's keys and values [C, K, D] for chunks that look back at it."""
        queries, keys, values = self.linear_q_k_v(x).chunk(3, dim=-1)
        seen_keys, seen_values = keys, values
        if back is not None:
            seen_keys = torch.cat([keys, _earlier(keys, back.keys, layer, back.predecessors)], dim=1)
            seen_values = torch.cat([values, _earlier(values, back.values, layer, back.predecessors)], dim=1)
        attended = attend(
            split_heads(queries * self.scale, self.heads),
            split_heads(seen_keys, self.heads).transpose(2, 3),
            split_heads(seen_values, self.heads),
            bias,
            self.attention_dropout,
        )
        return self.linear_out(attended) + self.memory(values * valid) * valid, keys, values

    def memory(self, values: Tensor) -> Tensor:
        """Depthwise convolution over the rows of each chunk plus the rows themselves, [C, K, D].

        Written with a second axis of length one: both engines have a fast kernel for it, and none for one axis.
        """
        block = self.fsmn_block
        channels_first = values.unsqueeze(2).permute(0, 3, 1, 2)  # [C, D, K, 1]
        if self.uneven is not None:
            channels_first = functional.pad(channels_first, (0, 0, *self.uneven))
        padding = (int(block.padding[0]), 0)
        convolved = functional.conv2d(channels_first, block.weight.unsqueeze(3), padding=padding, groups=block.groups)
        return self.dropout(convolved.permute(0, 2, 3, 1).squeeze(2) + values)  # type: ignore[no-any-return]


def _earlier(own: Tensor, past: Tensor, layer: int, predecessors: Tensor) -> Tensor:
    """The first `stride` rows of the chunks before each chunk: [C, Be * S, D]."""
    stride = past.shape[2]
    pool = torch.cat([past[:, layer], own[:, :stride]], dim=0)  # [P + C, S, D]
    return pool[predecessors].flatten(1, 2)


class EncoderLayer(nn.Module):
    """Attention and feed-forward with pre-norm; no residual round attention where the width changes."""

    def __init__(self, input_size: int, config: LayerShape, reach: tuple[int, int] | None = None) -> None:
        super().__init__()
        size = config.output_size
        self.residual = input_size == size
        self.self_attn = SelfAttention(input_size, config, reach)
        self.feed_forward = FeedForward(size, config.linear_units, config.dropout)
        self.norm1 = nn.LayerNorm(input_size, eps=LAYER_NORM_EPS)
        self.norm2 = nn.LayerNorm(size, eps=LAYER_NORM_EPS)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, x: Tensor, valid: Tensor, bias: Tensor, layer: int, back: LookBack | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows [C, K, D], keys and values of this layer."""
        attended, keys, values = self.self_attn(self.norm1(x), valid, bias, layer, back)
        # In bfloat16 training the sum of the layers stays in float32.
        x = x + self.dropout(attended) if self.residual else self.dropout(attended).to(x.dtype)
        return x + self.dropout(self.feed_forward(self.norm2(x))), keys, values


class ChunkEncoder(nn.Module):
    """All chunks of a call as one batch. The caller scales, adds position codes and cuts (features.chunks)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.encoders0 = nn.ModuleList([EncoderLayer(config.input_size, config)])
        self.encoders = nn.ModuleList([EncoderLayer(config.output_size, config) for _ in range(config.num_blocks - 1)])
        self.after_norm = nn.LayerNorm(config.output_size, eps=LAYER_NORM_EPS)

    def forward(self, chunks: Tensor, valid: Tensor, back: LookBack | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Encode chunks.

        Args:
            chunks: [C, K, input_size].
            valid: [C, K] of 1.0 for rows of the chunk and 0.0 for padding after a cut chunk.
            back: rows of earlier chunks, where the model was trained with look-back.

        Returns:
            Rows [C, K, D] (padding rows are 0); keys and values [C, layers, S, D] for later calls, empty without
            look-back.
        """
        rows, keys, values = self.unmasked(chunks, valid, back)
        return rows * valid.unsqueeze(-1), keys, values

    def unmasked(self, chunks: Tensor, valid: Tensor, back: LookBack | None) -> tuple[Tensor, Tensor, Tensor]:
        """The same with what comes out in padding rows: they see the chunk and are not seen."""
        bias = chunk_bias(valid, back)
        mask = valid.unsqueeze(-1)
        x, kept_keys, kept_values = chunks, [], []
        for layer, block in enumerate([*self.encoders0, *self.encoders]):
            x, keys, values = block(x, mask, bias, layer, back)
            if back is not None:
                stride = back.keys.shape[2]
                kept_keys.append(keys[:, :stride])
                kept_values.append(values[:, :stride])
        rows = self.after_norm(x)
        if back is None:
            return rows, rows.new_zeros(0), rows.new_zeros(0)
        return rows, torch.stack(kept_keys, dim=1), torch.stack(kept_values, dim=1)


def chunk_bias(valid: Tensor, back: LookBack | None) -> Tensor:
    """Attention bias of chunks, [C, 1, 1, K] or with look-back [C, 1, K, K + Be * S].

    Only the first `stride` rows of a chunk look back (the reference counts from the chunk's first row, not from its
    first kept row).
    """
    own = ((1.0 - valid) * MASKED)[:, None, None, :]
    if back is None:
        return own
    stride, size = back.keys.shape[2], valid.shape[1]
    exists = (back.predecessors > 0).to(valid.dtype).repeat_interleave(stride, dim=1)  # [C, Be * S]
    looks = (torch.arange(size, device=valid.device) < stride).to(valid.dtype)  # [K]
    earlier = (1.0 - exists[:, None, None, :] * looks[None, None, :, None]) * MASKED
    return torch.cat([own.expand(-1, -1, size, -1), earlier], dim=-1)


class Bridge(nn.Module):
    """Strided convolution from features and first-pass rows to the input of the second encoder."""

    def __init__(self, size: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(size, size, kernel_size, stride=stride)

    def forward(self, windows: Tensor) -> Tensor:
        """[C, K, kernel_size * size] rows under the kernel, oldest first -> [C, K, size]."""
        weight = self.conv.weight.transpose(1, 2).flatten(1)  # [size, kernel_size * size]
        return torch.relu(functional.linear(windows, weight, self.conv.bias))
