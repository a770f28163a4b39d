"""The training loop: one latency per batch, warm-up / constant / decay, snapshots that resume exactly after a kill.

Everything random in a step is seeded by (seed, step), so a resumed run equals an uninterrupted one on one machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from uniasr.errors import ModelError
from uniasr.features.cmvn import Cmvn
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.training.augment import SpecAugmentConfig, spec_augment
from uniasr.training.batches import Batch, BatchOptions, Source, load_batch, plan_epoch
from uniasr.training.objective import JointLoss, TensorBatch, joint_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What a run does; `steps` and `decay_steps` may be changed when it is resumed."""

    steps: int
    decay_steps: int = 0
    """Last steps, over which the learning rate falls linearly to a twentieth."""
    lr: float = 1e-3
    warmup_steps: int = 400
    weight_decay: float = 1e-2
    grad_clip: float = 5.0
    ctc_weight: float = 0.3
    bfloat16: bool = False
    """Run matrix products in bfloat16 (weights and optimiser stay float32)."""
    seed: int = 1
    batch: BatchOptions = field(default_factory=BatchOptions)
    spec_augment: SpecAugmentConfig = field(default_factory=SpecAugmentConfig)
    save_every: int = 200
    keep: int = 8
    """Snapshots of the weights kept for averaging."""
    log_every: int = 20


def learning_rate(step: int, options: TrainOptions) -> float:
    """Rate of a step: linear warm-up, constant, linear decay."""
    warm = min(1.0, (step + 1) / options.warmup_steps)
    left = (options.steps - step) / options.decay_steps if options.decay_steps else 1.0
    return options.lr * warm * max(0.05, min(1.0, left))


class Trainer:
    """A run in a directory: `last.pt` to resume from, `weights-*.pt` to average, `log.jsonl` to read."""

    def __init__(self, network: UniasrNetwork, directory: Path, options: TrainOptions) -> None:
        self.network, self.directory, self.options = network, directory, options
        self.step = 0
        self.place = (0, 0)
        """Epoch, and batches of it that are done."""
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=options.lr, betas=(0.9, 0.98), weight_decay=options.weight_decay
        )
        directory.mkdir(parents=True, exist_ok=True)

    def resume(self) -> bool:
        """Continue from `last.pt` if there is one."""
        path = self.directory / "last.pt"
        if not path.exists():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.place = state["step"], (state["epoch"], state["batch"])
        return True

    def save(self) -> None:
        """Write `last.pt` and a snapshot of the weights; a kill in between leaves the files of before."""
        network = self.network.state_dict()
        epoch, batch = self.place
        state = {"network": network, "optimizer": self.optimizer.state_dict(), "step": self.step}
        _replace(self.directory / "last.pt", {**state, "epoch": epoch, "batch": batch})
        _replace(self.directory / f"weights-{self.step:07d}.pt", network)
        for old in sorted(self.directory.glob("weights-*.pt"))[: -self.options.keep]:
            old.unlink()

    def run(self, sources: Sequence[Source], cmvn: Cmvn) -> None:
        """Train until `options.steps`; call `resume` first to go on."""
        started, audio_rows, waited = time.monotonic(), 0, 0.0
        batches = self._batches(sources, cmvn)
        while self.step < self.options.steps:
            before = time.monotonic()
            batch = next(batches)
            waited += time.monotonic() - before
            record = self.train_step(batch)
            audio_rows += int(batch.row_counts.sum())
            if self.step % self.options.log_every == 0:
                passed = time.monotonic() - started
                record |= {"rows_per_s": round(audio_rows / passed, 1), "data_share": round(waited / passed, 3)}
                self._log(record)
                started, audio_rows, waited = time.monotonic(), 0, 0.0
            if self.step % self.options.save_every == 0 or self.step == self.options.steps:
                self.save()

    def _batches(self, sources: Sequence[Source], cmvn: Cmvn) -> Iterator[Batch]:
        epoch, done = self.place
        while True:
            for groups in plan_epoch(sources, self.options.batch, self.options.seed, epoch)[done:]:
                done += 1
                self.place = (epoch, done)
                yield load_batch(groups, cmvn)
            epoch, done = epoch + 1, 0

    def train_step(self, batch: Batch) -> dict[str, Any]:
        """One update; returns what the log shows. A loss that is no number stops the run with the batch's keys."""
        torch.manual_seed(self.options.seed * 1_000_003 + self.step)
        latency = int(torch.randint(self.network.config.num_latencies, ()))
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.options)
        loss = self._forward(batch, latency)
        if not torch.isfinite(loss.total):
            raise ModelError(f"the loss is {loss.total.item()} at step {self.step} for {', '.join(batch.keys)}")
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.options.grad_clip)
        if torch.isfinite(norm):
            self.optimizer.step()
        self.step += 1
        return {"step": self.step, "epoch": self.place[0], "latency": latency, "norm": round(float(norm), 3)} | (
            describe(loss)
        )

    def _forward(self, batch: Batch, latency: int) -> JointLoss:
        counts = torch.from_numpy(batch.row_counts)
        rows, n_mels = torch.from_numpy(batch.rows), self.network.config.frontend.n_mels
        masked = spec_augment(rows, counts, n_mels, self.options.spec_augment)
        inside = torch.arange(rows.shape[1]) < counts[:, None]
        labels = (torch.from_numpy(batch.tokens), torch.from_numpy(batch.token_counts))
        tensors = TensorBatch(masked * inside[..., None], counts, *labels)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.options.bfloat16):
            return joint_loss(self.network, tensors, latency, self.options.ctc_weight)

    def _log(self, record: dict[str, Any]) -> None:
        with (self.directory / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")


def describe(loss: JointLoss) -> dict[str, float]:
    """A loss in rounded numbers."""
    numbers = {"loss": round(float(loss.total.detach()), 4)}
    for number, part in enumerate(loss.passes, 1):
        for name, value in part._asdict().items():
            numbers[f"{name}{number}"] = round(float(value.detach()), 4)
    return numbers


def average(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Mean of snapshots of the same network."""
    total: dict[str, torch.Tensor] = {}
    for path in paths:
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, value in state.items():
            total[name] = total[name] + value.double() if name in total else value.double()
    return {name: (value / len(paths)).float() for name, value in total.items()}


def _replace(path: Path, value: Any) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(value, temporary)
    temporary.replace(path)
