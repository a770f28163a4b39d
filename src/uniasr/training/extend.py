"""New tokens in a trained network: rows for them in embeddings and output layers, everything else as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from uniasr.networks.uniasr import UniasrNetwork

ROWS = ("embed.0.weight", "output_layer.weight", "output_layer.bias", "ctc_lo.weight", "ctc_lo.bias")
"""Ends of the names of parameters with one row per token."""
MARKS = 3
"""Blank, start and end: no words, so that they are left out of means."""
NOISE = 0.1


def with_tokens(network: UniasrNetwork, vocab_size: int, *, seed: int = 1) -> UniasrNetwork:
    """A network with more tokens, put before the last one (`<unk>`).

    A new row is the mean of the rows of all words plus noise of a tenth of their deviation: the new tokens begin as
    likely as an average word, and different from each other.
    """
    old_size = network.config.vocab_size
    if vocab_size < old_size:
        raise ValueError(f"{vocab_size} tokens are fewer than the network's {old_size}")
    larger = UniasrNetwork(replace(network.config, vocab_size=vocab_size), ctc=hasattr(network, "ctc"))
    larger.load_state_dict(extended_state(network.state_dict(), vocab_size - old_size, seed))
    return larger.train(network.training)


def extended_state(state: Mapping[str, Tensor], new: int, seed: int) -> dict[str, Tensor]:
    """State dict with `new` more rows before the last one of every parameter that has a row per token."""
    random = torch.Generator().manual_seed(seed)
    grown = dict(state)
    for name in state:
        if new and name.endswith(ROWS):
            rows = state[name]
            words = rows[MARKS:-1] if len(rows) > MARKS + 1 else rows
            deviation = words.std(0, unbiased=False)
            noise = torch.randn(new, *rows.shape[1:], generator=random) * deviation * NOISE
            grown[name] = torch.cat([rows[:-1], words.mean(0) + noise, rows[-1:]])
    return grown
