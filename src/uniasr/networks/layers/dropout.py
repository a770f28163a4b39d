"""Dropout whose random numbers cost little on a CPU, where PyTorch's own takes a third of a small model's step.

PyTorch draws a number of 24 bits or more per element from a serial generator; here eight elements share a draw of 64
bits, so that the rate is a multiple of 1/256.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 256


class Dropout(nn.Module):
    """In training, sets a share `rate` of the elements to 0 and scales the others so that the mean stays."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate <= 1:
            raise ValueError(f"dropout is {rate}; it must lie in 0..1")
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Any shape; draws from the global generator of the device."""
        if not self.training or self.rate == 0:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.rate)
        gone = min(LEVELS - 1, max(1, round(self.rate * LEVELS)))
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        draws = words.view(torch.uint8)[: x.numel()].view(x.shape)
        return x * ((draws >= gone).to(x.dtype) * (LEVELS / (LEVELS - gone)))

    def extra_repr(self) -> str:
        """What `repr` shows."""
        return f"rate={self.rate}"
