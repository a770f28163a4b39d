"""The loss on held-back utterances: what ranks snapshots where no error rate is measured."""

from __future__ import annotations

import torch

from uniasr.errors import DataError
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.training.batches import Batches
from uniasr.training.objective import ObjectiveOptions, Scale, TensorBatch, joint_loss


def dev_loss(network: UniasrNetwork, data: Batches, options: ObjectiveOptions) -> dict[str, float]:
    """Mean over the first epoch and all latencies: the loss and, by pass, the share of right tokens."""
    device = next(network.parameters()).device
    sums: dict[str, float] = {}
    tokens, latencies = 0, network.config.num_latencies
    for batch in data.epoch(0):
        scale = Scale.of(torch.from_numpy(batch.token_counts))
        tensors = TensorBatch.of(batch, device)
        for latency in range(latencies):
            loss = joint_loss(network, tensors, latency, options, scale=scale)
            parts = {f"accuracy{number}": part.accuracy for number, part in loss.passes.items()}
            for name, value in {"loss": loss.total, **parts}.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) * scale.tokens / latencies
        tokens += scale.tokens
    if not tokens:
        raise DataError("no held-back utterance to measure the loss on")
    return {name: value / tokens for name, value in sums.items()}
