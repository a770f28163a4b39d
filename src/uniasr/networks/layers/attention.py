"""Scaled dot-product attention over heads that are contiguous slices of the width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MASKED = -1e9
"""Added to the scores of keys that a query may not see: exp() of it is exactly 0 in float32."""


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[B, T, D] -> [B, H, T, D / H]."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(1, 2)


def head_scale(size: int, heads: int) -> float:
    """What queries of `size` over all heads are multiplied by; known before any input, so that graphs hold a number."""
    return float((size // heads) ** -0.5)


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, dropout: nn.Module) -> Tensor:
    """Attention output with the heads joined again, [B, Q, D].

    Args:
        queries: [B, H, Q, D / H], scaled by `head_scale`.
        keys: [B, H, D / H, K], transposed once so that every step of a decoder can use them as they are.
        values: [B, H, K, D / H].
        bias: broadcast over [B, H, Q, K]; 0 where a query sees a key, MASKED elsewhere.
        dropout: applied to the attention weights.
    """
    weights = torch.softmax(torch.matmul(queries, keys) + bias, dim=-1)
    joined = torch.matmul(dropout(weights), values).transpose(1, 2)  # [B, Q, H, D / H]
    return joined.flatten(2)
