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


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--batch-words", type=int, default=2560)
    parser.add_argument("--save-every", type=int, default=250)
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    words = read_words(options.work / "tokens.txt")
    network = CtTransformerNetwork(model.config(len(words)))
    torch.nn.init.normal_(network.embed.weight, std=model.config(len(words)).output_size ** -0.5)
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.lr, betas=(0.9, 0.98), weight_decay=0.01)
    step = 0
    if (options.run / "last.pt").exists():
        state = torch.load(options.run / "last.pt", weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    network.train()
    source = stream(load(options.work, "train"), options.batch_words, len(words), step)
    started, seen, losses = time.monotonic(), 0, []
    while step < options.steps:
        batch = next(source)
        torch.manual_seed(SEED * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = logits_of(network, batch)
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), torch.from_numpy(batch.labels).flatten(), ignore_index=IGNORED
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        losses.append(loss.item())
        seen += int(batch.counts.sum())
        if step % 50 == 0:
            record = {"step": step, "loss": round(float(np.mean(losses)), 4), "lr": round(rate(step, options), 6)}
            record["words_per_s"] = round(seen / (time.monotonic() - started))
            with (options.run / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(record) + "\n")
            print(record, flush=True)
            started, seen, losses = time.monotonic(), 0, []
        if step % options.save_every == 0 or step == options.steps:
            save(options.run, network, optimizer, step)


if __name__ == "__main__":
    main()
