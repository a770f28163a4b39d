"""Train on prepared arrays; run it again to go on after a stop.

python train.py --work WORK --run RUN --steps 6000
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import model
import numpy as np
import torch
from corpus import RENDERINGS
from paragraphs import IGNORED, Batch, Corpus, batches
from torch import Tensor

from uniasr.features.positions import position_codes
from uniasr.networks.ct_transformer import CtTransformerNetwork
from uniasr.text.words import read_words

SEED = 1
KEEP = 8


def load(work: Path, name: str) -> list[Corpus]:
    """The prepared sentences of both renderings."""
    found = []
    for rendering in RENDERINGS:
        arrays = np.load(work / f"{name}-{rendering}.npz")
        parts = [arrays[part].astype(np.int64) for part in ("ids", "labels", "starts", "sources")]
        found.append(Corpus(rendering, *parts))
    return found


def logits_of(network: CtTransformerNetwork, batch: Batch) -> Tensor:
    """Scores [N, K, marks]."""
    count, size = batch.ids.shape
    valid = torch.arange(size) < torch.from_numpy(batch.counts)[:, None]
    codes = torch.from_numpy(position_codes(0, size, network.config.embed_size)).float()
    none = torch.zeros(count, dtype=torch.int64)
    return network(torch.from_numpy(batch.ids), codes, valid.float(), none)


def stream(corpora: list[Corpus], words: int, vocab_size: int, done: int) -> Iterator[Batch]:
    """Batches without end, the first `done` of which are passed over."""
    epoch = 0
    while True:
        for batch in batches(corpora, words, SEED, epoch, vocab_size):
            if done:
                done -= 1
                continue
            yield batch
        epoch += 1


def rate(step: int, options: argparse.Namespace) -> float:
    """Learning rate: linear warm-up, then a cosine down to a fiftieth."""
    share = step / options.steps
    return options.lr * min(1.0, (step + 1) / 300) * max(0.02, 0.5 * (1 + math.cos(math.pi * share)))


def save(run: Path, network: CtTransformerNetwork, optimizer: torch.optim.Optimizer, step: int) -> None:
    """What a later run goes on from, and a snapshot of the weights."""
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    for path, value in ((run / "last.pt", state), (run / f"weights-{step:06d}.pt", state["network"])):
        torch.save(value, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
    for old in sorted(run.glob("weights-*.pt"))[:-KEEP]:
        old.unlink()


class Trainer:
    """A run in a directory: `last.pt` to resume from, `weights-*.pt` to average, `log.jsonl` to read."""

    def __init__(self, options: argparse.Namespace, vocab_size: int) -> None:
        self.options, self.step = options, 0
        self.network = CtTransformerNetwork(model.config(vocab_size))
        torch.nn.init.normal_(self.network.embed.weight, std=self.network.config.output_size**-0.5)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=options.lr, betas=(0.9, 0.98), weight_decay=0.01
        )
        if (options.run / "last.pt").exists():
            state = torch.load(options.run / "last.pt", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
        self.network.train()

    def run(self, source: Iterator[Batch]) -> None:
        """Train to the last step."""
        started, seen, losses = time.monotonic(), 0, []
        while self.step < self.options.steps:
            batch = next(source)
            losses.append(self.train_step(batch))
            seen += int(batch.counts.sum())
            if self.step % 100 == 0:
                record = {"step": self.step, "loss": round(float(np.mean(losses)), 4)}
                record["words_per_s"] = round(seen / (time.monotonic() - started))
                with (self.options.run / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(record) + "\n")
                print(record, flush=True)
                started, seen, losses = time.monotonic(), 0, []
            if self.step % self.options.save_every == 0 or self.step == self.options.steps:
                save(self.options.run, self.network, self.optimizer, self.step)

    def train_step(self, batch: Batch) -> float:
        """One update; returns the loss."""
        torch.manual_seed(SEED * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.step, self.options)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = logits_of(self.network, batch)
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), torch.from_numpy(batch.labels).flatten(), ignore_index=IGNORED
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return loss.item()


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--lr", type=float, default=2.5e-3)
    parser.add_argument("--batch-words", type=int, default=1024)
    parser.add_argument("--save-every", type=int, default=500)
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    words = read_words(options.work / "tokens.txt")
    trainer = Trainer(options, len(words))
    trainer.run(stream(load(options.work, "train"), options.batch_words, len(words), trainer.step))


if __name__ == "__main__":
    main()
