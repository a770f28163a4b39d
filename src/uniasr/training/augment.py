"""SpecAugment on stacked (LFR) feature rows: the same mel bins are masked in every frame of a row.

Source: SpecAugment arXiv 1904.08779; funasr 1.4.16 funasr/models/specaug (SpecAugLFR).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecAugmentConfig:
    """Masks per utterance; widths are drawn uniformly below the given ones."""

    freq_masks: int = 1
    freq_width: int = 30
    """Mel bins."""
    time_masks: int = 1
    time_width: int = 12
    """Rows; at most a fifth of the utterance is masked at a time."""


def spec_augment(rows: Tensor, counts: Tensor, n_mels: int, config: SpecAugmentConfig) -> Tensor:
    """Rows [B, T, F] with masked stretches set to 0, the mean after CMVN; draws from torch's global generator."""
    batch, length, size = rows.shape
    keep = torch.ones(batch, length, size // n_mels, n_mels, device=rows.device)
    bins = torch.arange(n_mels, device=rows.device)
    for _ in range(config.freq_masks):
        width = (torch.rand(batch, device=rows.device) * config.freq_width).floor()
        begin = (torch.rand(batch, device=rows.device) * (n_mels - width)).floor()
        hit = (bins >= begin[:, None]) & (bins < (begin + width)[:, None])
        keep = keep * ~hit[:, None, None, :]
    places = torch.arange(length, device=rows.device)
    for _ in range(config.time_masks):
        widest = torch.minimum(counts / 5, torch.full_like(counts, config.time_width, dtype=torch.float))
        width = (torch.rand(batch, device=rows.device) * widest).floor()
        begin = (torch.rand(batch, device=rows.device) * (counts - width)).floor()
        hit = (places >= begin[:, None]) & (places < (begin + width)[:, None])
        keep = keep * ~hit[:, :, None, None]
    return rows * keep.flatten(2)
