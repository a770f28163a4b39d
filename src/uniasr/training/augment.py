"""Augmentation of stacked (LFR) feature rows after CMVN: masks, and other channels and vocal tracts.

The same mel bins are changed in every frame of a row. Sources: SpecAugment arXiv 1904.08779; funasr 1.4.16
funasr/models/specaug (SpecAugLFR); vocal tract length perturbation, Jaitly and Hinton 2013.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from uniasr.features.warp import warps


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """Other microphones and other vocal tracts, drawn once per utterance."""

    share: float = 0.6
    """Of the utterances that are changed."""
    cosines: int = 4
    gain: float = 0.15
    """Standard deviation of the weight of each cosine over the mel axis, in standard deviations of the features."""
    warp: float = 0.08
    """Mel frequencies are multiplied by up to this much more or less than one."""


def vary_channel(rows: Tensor, n_mels: int, config: ChannelConfig) -> Tensor:
    """Rows [B, T, F] with a smooth gain over frequency and stretched frequencies; draws as `spec_augment` does.

    A gain over frequency is a sum in the logarithm: what a microphone, a room's colour or a codec's slope does to all
    frames alike.
    """
    batch, device = len(rows), rows.device
    changed = (torch.rand(batch, device=device) < config.share)[:, None].to(rows.dtype)
    bins = torch.arange(n_mels, device=device, dtype=rows.dtype)
    orders = torch.arange(1, config.cosines + 1, device=device)
    cosines = torch.cos(math.pi * orders[:, None] * (bins + 0.5) / n_mels)
    gains = changed * (torch.randn(batch, config.cosines, device=device) * config.gain) @ cosines
    factors = 1 + changed * (2 * torch.rand(batch, 1, device=device) - 1) * config.warp
    between = torch.from_numpy(warps(n_mels, factors[:, 0].cpu().numpy())).to(rows)
    varied = rows.reshape(batch, -1, n_mels) @ between + gains[:, None]
    return varied.reshape(rows.shape)
