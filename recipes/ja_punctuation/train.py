"""Train on prepared arrays; run it again to go on after a stop.

python train.py --work WORK --run RUN --steps 6000 [--start WEIGHTS]

The network learns the marks, for commas also the teacher's chances, and in a middle layer the words of the dictionary,
where they end and what part of speech they are, and the source of the sentence, on whose habits commas depend.
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
from corpus import COMMA, NONE, RENDERINGS
from exchange import exchange_of
from paragraphs import CHANCE, CLASS, IGNORED, LABEL, SOURCE, SURE, Batch, Corpus, batches
from torch import Tensor, nn
from torch.nn import functional

from uniasr.features.positions import position_codes
from uniasr.networks.ct_transformer import CtTransformerNetwork
from uniasr.text.words import read_words
from uniasr.training.snapshots import average

SEED = 1
KEEP = 8
TAUGHT = 0.9
"""Share of the teacher's chance in what is learned about commas; the rest is the comma that was written or not."""
RUNS_DROPPED = 0.15
"""Share of the words that are seen without the runs that they stand in, which are soon learned by heart."""
NEW_WORD = 0.02
"""Deviation of the first weights of a word that the network begun with does not have."""
TAGGING, SOURCING = 0.1, 0.03
"""Weights of the losses of the classes of words and of the sources of sentences."""
TAGGED = 1
"""Number of the layer, of those behind the first, whose rows tell classes and sources."""


def load(work: Path, name: str, *, exchanged: bool = False) -> list[Corpus]:
    """The prepared sentences of both renderings, for training with an exchange of their words."""
    found, open_classes = [], np.load(work / "open.npy").tolist()
    for rendering in RENDERINGS:
        arrays = np.load(work / f"{name}-{rendering}.npz")
        ids, targets, starts, sources = (
            arrays[part].astype(np.int64) for part in ("ids", "targets", "starts", "sources")
        )
        targets = np.column_stack([targets, np.repeat(sources, np.diff(starts))])
        exchange = exchange_of(ids, targets, open_classes) if exchanged else None
        found.append(Corpus(rendering, ids, targets, starts, sources, exchange))
    return found


def logits_of(network: CtTransformerNetwork, batch: Batch) -> Tensor:
    """Scores [N, K, marks]."""
    count, size = batch.ids.shape
    valid = torch.arange(size) < torch.from_numpy(batch.counts)[:, None]
    codes = torch.from_numpy(position_codes(0, size, network.config.embed_size)).float()
    none = torch.zeros(count, dtype=torch.int64)
    return network(torch.from_numpy(batch.ids), codes, valid.float(), none)


class Learner(nn.Module):
    """The network and, for training only, what one of its layers tells: classes of words and sources of sentences."""

    def __init__(self, network: CtTransformerNetwork, num_classes: int, num_sources: int) -> None:
        super().__init__()
        self.network = network
        size = network.config.output_size
        self.tagger = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, num_classes))
        self.source = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, num_sources))
        self._rows = torch.empty(0)
        network.encoder.encoders[TAGGED].register_forward_hook(self._keep)
        assert network.runs is not None
        network.runs.register_forward_hook(self._drop)

    def _keep(self, layer: nn.Module, given: object, result: tuple[Tensor, ...]) -> None:
        self._rows = result[0]

    def _drop(self, runs: nn.Module, given: object, result: Tensor) -> Tensor:
        return result * (torch.rand(*result.shape[:2], 1) >= RUNS_DROPPED)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Scores [N, K, marks], [N, K, classes] and [N, K, sources]."""
        return logits_of(self.network, batch), self.tagger(self._rows), self.source(self._rows)


def loss_of(marks: Tensor, classes: Tensor, sources: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean losses of marks, of classes and of sources; targets [N, K, 4]."""
    labels, chances = targets[..., LABEL], targets[..., CHANCE] / SURE
    learned = labels != IGNORED
    wanted = functional.one_hot(labels[learned], marks.shape[-1]).float()
    inner = wanted[:, NONE] + wanted[:, COMMA] > 0  # a full stop is no matter of habit
    taught = torch.where(inner, TAUGHT, 0.0)
    wanted[:, COMMA] += taught * (chances[learned] - wanted[:, COMMA])
    wanted[:, NONE] = torch.where(inner, 1 - wanted[:, COMMA], 0.0)
    return (
        functional.cross_entropy(marks[learned].float(), wanted),
        *(
            functional.cross_entropy(scores.float().flatten(0, 1), targets[..., column].flatten(), ignore_index=IGNORED)
            for scores, column in ((classes, CLASS), (sources, SOURCE))
        ),
    )


def grown(network: CtTransformerNetwork, weights: dict[str, Tensor]) -> None:
    """Take over the weights of a smaller network; what it lacks (layers, runs of words) begins by changing nothing.

    Words that it lacks, which come last, begin as the unknown one, a little apart.
    """
    known = weights["embed.weight"]
    lacking = len(network.embed.weight) - len(known)
    apart = known[:1] + NEW_WORD * torch.randn(lacking, known.shape[1])
    weights = weights | {"embed.weight": torch.cat([known, apart])}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected:
        raise SystemExit(f"the weights to start from have {unexpected[0]}, which the network lacks")
    size = network.config.output_size
    for number in sorted({int(name.split(".")[2]) for name in missing if name.startswith("encoder.encoders.")}):
        layer = network.encoder.encoders[number]
        attention, last = layer.self_attn, layer.feed_forward.w_2
        with torch.no_grad():
            for part in (attention.linear_q_k_v.weight[2 * size :], attention.linear_q_k_v.bias[2 * size :]):
                part.zero_()
            for whole in (attention.linear_out.bias, last.weight, last.bias):
                whole.zero_()


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


def save(run: Path, learner: Learner, optimizer: torch.optim.Optimizer, step: int) -> None:
    """What a later run goes on from, and a snapshot of the network's weights."""
    state = {"learner": learner.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    for path, value in ((run / "last.pt", state), (run / f"weights-{step:06d}.pt", learner.network.state_dict())):
        torch.save(value, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
    for old in sorted(run.glob("weights-*.pt"))[:-KEEP]:
        old.unlink()


class Trainer:
    """A run in a directory: `last.pt` to resume from, `weights-*.pt` to average, `log.jsonl` to read."""

    def __init__(self, options: argparse.Namespace, vocab_size: int, corpora: list[Corpus]) -> None:
        self.options, self.step = options, 0
        network = CtTransformerNetwork(model.config(vocab_size))
        nn.init.normal_(network.embed.weight, std=network.config.output_size**-0.5)
        if options.start:
            grown(network, average([options.start]))
        kinds = (1 + max(int(corpus.targets[:, column].max()) for corpus in corpora) for column in (CLASS, SOURCE))
        self.learner = Learner(network, *kinds)
        self.optimizer = torch.optim.AdamW(
            self.learner.parameters(), lr=options.lr, betas=(0.9, 0.98), weight_decay=0.01
        )
        if (options.run / "last.pt").exists():
            state = torch.load(options.run / "last.pt", weights_only=True)
            self.learner.load_state_dict(state["learner"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step = state["step"]
        self.learner.train()

    def run(self, source: Iterator[Batch]) -> None:
        """Train to the last step."""
        started, seen, losses = time.monotonic(), 0, []
        while self.step < self.options.steps:
            batch = next(source)
            losses.append(self.train_step(batch))
            seen += int(batch.counts.sum())
            if self.step % 100 == 0:
                means = zip(("loss", "classes", "sources"), np.mean(losses, axis=0).tolist(), strict=True)
                record = {"step": self.step, **{name: round(value, 4) for name, value in means}}
                record["words_per_s"] = round(seen / (time.monotonic() - started))
                with (self.options.run / "log.jsonl").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(record) + "\n")
                print(record, flush=True)
                started, seen, losses = time.monotonic(), 0, []
            if self.step % self.options.save_every == 0 or self.step == self.options.steps:
                save(self.options.run, self.learner, self.optimizer, self.step)

    def train_step(self, batch: Batch) -> list[float]:
        """One update; returns the losses."""
        torch.manual_seed(SEED * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.step, self.options)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = self.learner(batch)
        losses = loss_of(*scores, torch.from_numpy(batch.targets))
        self.optimizer.zero_grad(set_to_none=True)
        (losses[0] + TAGGING * losses[1] + SOURCING * losses[2]).backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return [loss.item() for loss in losses]


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights of a smaller network to begin with")
    parser.add_argument("--steps", type=int, default=14000)
    parser.add_argument("--lr", type=float, default=2.5e-3)
    parser.add_argument("--batch-words", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=500)
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    words = read_words(options.work / "tokens.txt")
    corpora = load(options.work, "train", exchanged=True)
    trainer = Trainer(options, len(words), corpora)
    trainer.run(stream(corpora, options.batch_words, len(words), trainer.step))


if __name__ == "__main__":
    main()
