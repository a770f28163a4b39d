"""Weights to go on from when the runs are gone, and new CTC heads for a packaged model.

    python reopen.py MODEL [--work WORK...] --run RUN

RUN gets the model's tokens and CMVN, and a snapshot for `train.py --init`, `mix.py` and `package.py`: the packaged
weights (int8, so a little off those that were trained). With stores given, CTC heads are new and trained alone, the
rest frozen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import train

from uniasr.checkpoints import read_model
from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.network import load_network
from uniasr.checkpoints.weights import CTC_HEADS
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.training.augment import ChannelConfig
from uniasr.training.batches import Batches, BatchOptions
from uniasr.training.loop import Trainer
from uniasr.training.objective import ObjectiveOptions
from uniasr.training.options import TrainOptions
from uniasr.training.store import FeatureStore

OPTIONS = TrainOptions(
    steps=600,
    decay_steps=300,
    warmup_steps=20,
    lr=5e-3,
    objective=ObjectiveOptions(ctc_weight=0.3),
    precision="bfloat16",
    channel=ChannelConfig(),
)


def train_heads(network: UniasrNetwork, files: ModelFiles, options: argparse.Namespace) -> None:
    """Heads that begin anew."""
    torch.manual_seed(1)
    new = UniasrNetwork(files.config, ctc=True).state_dict()
    heads = {name: value for name, value in new.items() if name.startswith(CTC_HEADS)}
    network.load_state_dict(network.state_dict() | heads)
    trainer = Trainer(network.train(), options.run / "heads", OPTIONS)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(CTC_HEADS))
    stores = [FeatureStore(work / "train") for work in options.work]
    found = [source for store in stores for source in train.sources(store, files.tokens.tokens)]
    trainer.run(Batches(found, files.cmvn, BatchOptions()))


def main() -> None:
    """Write the run's beginning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--work", type=Path, nargs="*", default=[], help="stores to train new heads on")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    files = read_model(options.model)
    options.run.mkdir(parents=True, exist_ok=True)
    (options.run / "tokens.txt").write_text("\n".join(files.tokens.tokens) + "\n", encoding="utf-8")
    np.save(options.run / "cmvn.npy", np.stack([files.cmvn.shift, files.cmvn.scale]))
    network = load_network(files)
    if options.work:
        train_heads(network, files, options)
    torch.save(network.state_dict(), options.run / "weights-0000000.pt")


if __name__ == "__main__":
    main()
