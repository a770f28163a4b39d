"""A run small enough for tests: two latencies, a few thousand parameters, twenty made-up utterances.

As a program it trains in a directory, alone or as one of several processes; `--die-at` kills it at the n-th point at
which a file or the weights change, with half of a file written where it is in the middle of one. It prints the share
of the parameters that it held.
"""

import argparse
import itertools
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch

from small_config import small_config
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import ChunkConfig
from uniasr.features.cmvn import Cmvn
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.training.augment import SpecAugmentConfig
from uniasr.training.batches import Batches, BatchOptions, Source
from uniasr.training.dev import dev_loss
from uniasr.training.loop import Trainer
from uniasr.training.objective import ObjectiveOptions
from uniasr.training.options import TrainOptions
from uniasr.training.processes import joined
from uniasr.training.store import Utterance

VOCAB = 9
FEATURES = 8
CMVN = Cmvn(np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32))


def tiny_config(dropout=0.1, **changes):
    return small_config(
        FrontendConfig(n_mels=4, lfr_m=2, lfr_n=1),
        (ChunkConfig(size=8, stride=4, pad_left=2), ChunkConfig(size=12, stride=8, pad_left=2)),
        encoder_sizes={"linear_units": 12, "dropout": dropout, "attention_dropout": dropout},
        decoder_sizes={"linear_units": 12}
        | dict.fromkeys(("dropout", "self_attention_dropout", "src_attention_dropout"), dropout),
        **{"vocab_size": VOCAB} | changes,
    )


def tiny_network(seed=0, ctc=False, **changes):
    torch.manual_seed(seed)
    return UniasrNetwork(tiny_config(**changes), ctc=ctc)


class MemoryRows:
    """Rows of made-up utterances: a token shows as a bump in one feature."""

    def rows(self, utterance):
        random = np.random.default_rng(utterance.start)
        rows = random.normal(0, 0.3, (utterance.num_rows, FEATURES))
        tokens = tiny_tokens(utterance)
        rows[np.linspace(1, utterance.num_rows - 2, len(tokens)).astype(int), tokens % FEATURES] += 3
        return rows.astype(np.float32)


def tiny_tokens(utterance):
    random = np.random.default_rng([7, utterance.start])
    return random.integers(3, VOCAB, max(1, utterance.num_rows // 4))


def tiny_sources(count=20, seed=3):
    lengths = np.random.default_rng(seed).integers(5, 25, count)
    utterances = [Utterance(f"u{i}", i, int(n), "") for i, n in enumerate(lengths)]
    return [Source(MemoryRows(), utterance, tiny_tokens(utterance)) for utterance in utterances]


def tiny_batches(batch_rows=60, **place):
    options = BatchOptions(batch_rows=batch_rows, join_share=0.0)
    return Batches(tiny_sources(), CMVN, options, **place)


def train(directory, *, batch_rows=60, dropout=0.1, evaluate=False, device="cpu", **options):
    """Go on with the run in the directory, to its end; returns the trainer."""
    options = {
        "lr": 1e-2,
        "warmup_steps": 3,
        "log_every": 1,
        "steps": 6,
        "save_every": 2,
        "keep": 2,
        "grad_clip": 1.0,
    } | options
    if not dropout:
        options |= {"spec_augment": None, "objective": ObjectiveOptions(end_fires=1.0)}
    else:
        options["spec_augment"] = SpecAugmentConfig(freq_width=2, time_width=3)
    options = TrainOptions(**options)

    def measure(network):
        return dev_loss(network, tiny_batches(), options.objective)

    with joined(device) as processes:
        trainer = Trainer(tiny_network(dropout=dropout), Path(directory), options, processes)
        trainer.resume()
        batches = tiny_batches(batch_rows, rank=processes.rank, world=processes.world)
        trainer.run(batches, measure if evaluate else None)
    return trainer


def die_at(point):
    """Kill this process when it passes the n-th point at which something changes."""
    passed = itertools.count(1)

    def before(function, torn=None):
        def changed(*arguments, **named):
            if next(passed) == point:
                if torn is not None:
                    torn(*arguments, **named)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return changed

    def half_a_file(value, file):
        save(value, file)
        file.truncate(file.tell() // 2)
        file.flush()

    save = torch.save
    torch.save = before(save, half_a_file)
    os.fsync, Path.replace, Path.unlink = before(os.fsync), before(Path.replace), before(Path.unlink)
    Trainer.train_step = before(Trainer.train_step)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch-rows", type=int, default=60)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--shard", action="store_true")
    parser.add_argument("--evaluate", action="store_true")
    options = vars(parser.parse_args())
    torch.set_num_threads(1)
    parameters = list(train(**options).network.parameters())
    own = sum(getattr(parameter, "to_local", lambda p=parameter: p)().numel() for parameter in parameters)
    sys.stdout.write(f"{own / sum(parameter.numel() for parameter in parameters)}\n")


if __name__ == "__main__":
    main()
