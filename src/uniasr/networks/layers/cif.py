"""CIF: the predictor's weights, and the differentiable integration that training needs.

At run time `uniasr.decoding.cif` integrates; one parametrised test holds both to the same oracle.
Source: CIF arXiv 1905.11235; funasr 1.4.16 funasr/models/paraformer/cif_predictor.py.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from uniasr.configs.uniasr import PredictorConfig


class Predictor(nn.Module):
    """How many tokens each encoder row is worth."""

    def __init__(self, size: int, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.cif_conv1d = nn.Conv1d(size, size, config.l_order + config.r_order + 1)
        self.cif_output = nn.Linear(size, 1)

    def forward(self, rows: Tensor, valid: Tensor) -> Tensor:
        """Alphas [C, K] of rows [C, K, D]; rows beyond `valid` [C, K] weigh nothing."""
        x = functional.pad(rows.transpose(1, 2), (self.config.l_order, self.config.r_order))
        x = torch.relu(self.cif_conv1d(x)).transpose(1, 2)
        alphas = torch.sigmoid(self.cif_output(x)).squeeze(-1)
        alphas = torch.relu(alphas * self.config.smooth_factor - self.config.noise_threshold)
        return alphas * valid


class Integrated(NamedTuple):
    """What training needs of a batch: acoustic embeddings [B, L, D] and the row at which each token fires [B, L]."""

    embeddings: Tensor
    rows: Tensor


def integrate(alphas: Tensor, rows: Tensor, lengths: Tensor) -> Integrated:
    """Differentiable CIF of weights that were scaled to sum to `lengths`.

    Args:
        alphas: [B, T] weights, 0 beyond an utterance's end; at most 1 each counts as one firing.
        rows: [B, T, D].
        lengths: [B] tokens per utterance.

    Returns:
        `embeddings[b, i]` = sum over t of the part of alphas[b, t] that lies between prefix sums i and i + 1, times
        rows[b, t]. The last token of an utterance fires at its last row when rounding keeps the sum below the integer.
    """
    ends = torch.cumsum(alphas.double(), dim=1)  # [B, T]
    tokens = torch.arange(int(lengths.max()), device=alphas.device, dtype=ends.dtype)[None, :, None]
    begins = ends - alphas.double()
    # The overlap of [begin, end) with [i, i + 1) is the share of row t in token i.
    shares = (torch.minimum(ends[:, None], tokens + 1) - torch.maximum(begins[:, None], tokens)).clamp(min=0)
    shares = shares * (tokens < lengths[:, None, None])
    # Half a thousandth below the integer counts as fired: scaled weights sum to it only up to rounding.
    fired_at = (ends[:, None] < tokens + 1 - 5e-4).sum(dim=2).clamp(max=alphas.shape[1] - 1)
    return Integrated(torch.matmul(shares.to(rows.dtype), rows), fired_at)
