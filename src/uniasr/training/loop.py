"""The training loop: one latency per step, gradients of all processes, snapshots that resume exactly after a kill.

Everything random in a step is seeded by its number, so a resumed run equals an uninterrupted one on one machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from uniasr.errors import DataError, ModelError, OptionError
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.training.augment import spec_augment, vary_channel
from uniasr.training.batches import Batch, Batches
from uniasr.training.objective import JointLoss, ObjectiveOptions, Scale, TensorBatch, freeze, joint_loss
from uniasr.training.options import TrainOptions, learning_rate
from uniasr.training.processes import Processes
from uniasr.training.run_log import Meter, RunLog
from uniasr.training.sharding import divided_moments, divided_weights, gathered, norm_of, shard, whole
from uniasr.training.snapshots import Snapshots

Evaluate: TypeAlias = Callable[[UniasrNetwork], dict[str, float]]
"""Numbers about a network in evaluation mode; called in every process, the first one's numbers count."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(slots=True)
class Place:
    """Where a run stands; everything but weights and optimiser that resuming needs."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches of the epoch that are done."""
    best: list[tuple[float, int]] = field(default_factory=list)
    """Metric and step of every evaluation, the best first."""
    worse: int = 0
    """Evaluations since the best one."""


class Objective(nn.Module):
    """The loss as a module, so that gradients of several processes can be brought together."""

    def __init__(self, network: UniasrNetwork, options: ObjectiveOptions) -> None:
        super().__init__()
        self.network, self.options = network, options

    def forward(self, batch: TensorBatch, latency: int, scale: Scale) -> JointLoss:
        """As `joint_loss`."""
        return joint_loss(self.network, batch, latency, self.options, scale=scale)


class Trainer:
    """A run in a directory: snapshots to resume from and to average, `log.jsonl` to read."""

    def __init__(
        self, network: UniasrNetwork, directory: Path, options: TrainOptions, processes: Processes | None = None
    ) -> None:
        self.directory, self.options = directory, options
        self.processes = processes or Processes()
        if options.precision == "float16" and self.processes.device.type != "cuda":
            raise OptionError("precision float16 needs a GPU; bfloat16 works everywhere")
        freeze(network, options.objective)
        self.network = network.to(self.processes.device)
        self.objective = Objective(self.network, options.objective)
        if options.shard and self.processes.world > 1:
            shard(self.objective)
        self.snapshots = Snapshots(directory, options.keep, options.keep_best)
        kind = torch.optim.AdamW if options.optimizer == "adamw" else torch.optim.Adam
        self.optimizer = kind(
            network.parameters(), lr=options.lr, betas=options.betas, weight_decay=options.weight_decay
        )
        self.scaler = torch.amp.GradScaler(self.processes.device.type, enabled=options.precision == "float16")
        self.place = Place()
        self._model: nn.Module | None = None

    @property
    def step(self) -> int:
        """Updates done."""
        return self.place.step

    @property
    def finished(self) -> bool:
        """Whether the run has reached one of its ends."""
        options, place = self.options, self.place
        return bool(
            (options.steps and place.step >= options.steps)
            or (options.epochs and place.epoch >= options.epochs)
            or (options.patience and place.worse >= options.patience)
        )

    def resume(self) -> bool:
        """Continue from the newest whole snapshot, if there is one."""
        state = self.snapshots.read()
        if state is None:
            return False
        try:
            self.network.load_state_dict(divided_weights(state["network"], self.network))
            self.optimizer.load_state_dict(divided_moments(state["optimizer"], self.optimizer))
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"the snapshot in {self.directory} is of another network; choose another place to start anew: {error}"
            ) from error
        if state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
        self.place = Place(
            state["step"], state["epoch"], state["batch"], list(state.get("best", [])), state.get("worse", 0)
        )
        if self.processes.is_first:
            self.snapshots.tidy(self.place.best)
        return True

    def save(self) -> None:
        """Write a snapshot; a kill or a full disk in between leaves those of before. Every process calls it."""
        weights, moments = gathered(self.network.state_dict()), gathered(self.optimizer.state_dict())
        if self.processes.is_first:
            state = {"optimizer": moments, "scaler": self.scaler.state_dict(), **asdict(self.place)}
            self.snapshots.write(weights, state, self.place.best)

    def run(self, data: Batches, evaluate: Evaluate | None = None) -> None:
        """Train to the end; call `resume` first to go on. Each snapshot is evaluated where `evaluate` is given."""
        silent = not self.processes.is_first
        with RunLog(self.directory, step=self.step, steps=self.options.steps, silent=silent) as log:
            saved, meter = self.step, Meter()
            while not self.finished:
                before = self.step
                for batches in meter.timed(self._epoch(data)):
                    record = self.train_step(batches)
                    meter.count(batches)
                    log.advance(self.step, record["loss"])
                    if self.step % self.options.log_every == 0 or "skipped" in record:
                        log.write(record | meter.read())
                    if self.options.save_every and self.step % self.options.save_every == 0:
                        saved = self._checkpoint(log, evaluate)
                    if self.finished:
                        break
                else:
                    self._end_epoch(before)
                    if not self.options.save_every:
                        saved = self._checkpoint(log, evaluate)
            if saved != self.step:
                self._checkpoint(log, evaluate)

    def _epoch(self, data: Batches) -> Iterator[list[Batch]]:
        """The batches of each step in what is left of the epoch; its last step may have fewer."""
        pending: list[Batch] = []
        for batch in data.epoch(self.place.epoch, self.place.batch):
            pending.append(batch)
            if len(pending) == self.options.accumulate:
                self.place.batch += len(pending)
                yield pending
                pending = []
        if pending:
            self.place.batch += len(pending)
            yield pending

    def _end_epoch(self, step_before: int) -> None:
        if self.step == step_before and self.place.batch == 0:
            raise DataError("an epoch has no batch; there is nothing to train on")
        self.place.epoch, self.place.batch = self.place.epoch + 1, 0

    def _checkpoint(self, log: RunLog, evaluate: Evaluate | None) -> int:
        """Evaluate and save; returns the step."""
        if evaluate is not None:
            network = whole(self.network).eval()
            with torch.inference_mode():
                numbers = self.processes.gather(evaluate(network))[0]
            log.write({"step": self.step, "epoch": self.place.epoch, **{f"dev/{k}": v for k, v in numbers.items()}})
            self._rank(numbers)
        self.save()
        return self.step

    def _rank(self, numbers: dict[str, float]) -> None:
        place, name = self.place, self.options.metric
        if name not in numbers:
            raise OptionError(f"metric is {name}, but an evaluation gives {', '.join(numbers)}")
        value = numbers[name] if math.isfinite(numbers[name]) else math.inf
        better = not place.best or value < place.best[0][0]
        place.worse = 0 if better else place.worse + 1
        place.best = sorted([*place.best, (value, self.step)])

    def train_step(self, batches: Sequence[Batch]) -> dict[str, Any]:
        """One update from one or several batches; returns what the log shows.

        Raises ModelError with the keys of the batches whose loss is no number; the weights are then as before.
        """
        options, model = self.options, self._wrapped()
        latency = int(np.random.default_rng([options.seed, self.step]).integers(self.network.config.num_latencies))
        scale = self._scale(batches)
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, options)
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        for number, batch in enumerate(batches):
            last = number == len(batches) - 1
            with nullcontext() if last else self.processes.apart(model):
                loss = self._forward(model, batch, number, latency, scale)
                # Gradients are averaged over the processes; the scale already counts them all.
                self.scaler.scale(loss.total * self.processes.world).backward()  # type: ignore[no-untyped-call]
            losses.append(loss)
        numbers = self._numbers(losses, batches)
        norm = self._update()
        self.place.step += 1
        record = {"step": self.step, "epoch": self.place.epoch, "latency": latency, "norm": round(norm, 3)}
        record["lr"] = self.optimizer.param_groups[0]["lr"]
        return record | numbers | ({} if math.isfinite(norm) else {"skipped": True})

    def _wrapped(self) -> nn.Module:
        """Made at the first step, so that all processes have loaded what they resume from."""
        if self._model is None:
            self._model = self.processes.wrap(self.objective)
        return self._model

    def _scale(self, batches: Sequence[Batch]) -> Scale:
        """Labels and utterances of the step in all processes."""
        own = [Scale.of(torch.from_numpy(batch.token_counts)) for batch in batches]
        sums = self.processes.total(torch.tensor(own, dtype=torch.float64).sum(0))
        return Scale(int(sums[0]), int(sums[1]))

    def _forward(self, model: nn.Module, batch: Batch, number: int, latency: int, scale: Scale) -> JointLoss:
        options, device = self.options, self.processes.device
        place = np.random.SeedSequence([options.seed, self.step, number, self.processes.rank])
        torch.manual_seed(int(place.generate_state(1, np.uint64)[0] >> 1))
        tensors = TensorBatch.of(batch, device)
        rows, n_mels = tensors.rows, self.network.config.frontend.n_mels
        if options.channel is not None:
            rows = vary_channel(rows, n_mels, options.channel)
        if options.spec_augment is not None:
            rows = spec_augment(rows, tensors.row_counts.to(device), n_mels, options.spec_augment)
        with torch.autocast(device.type, DTYPES[options.precision], enabled=options.precision != "float32"):
            loss: JointLoss = model(tensors._replace(rows=rows), latency, scale)
        return loss

    def _numbers(self, losses: Sequence[JointLoss], batches: Sequence[Batch]) -> dict[str, float]:
        """The step's losses over all its batches and processes; raises ModelError if one is no number."""
        values = torch.stack([figures(loss) for loss in losses])
        sums = self.processes.total(values.sum(0))
        if not math.isfinite(sums[0]):
            bad = [batch.keys for batch, row in zip(batches, values.tolist(), strict=True) if not math.isfinite(row[0])]
            keys = [key for process in self.processes.gather(bad) for group in process for key in group]
            raise ModelError(f"the loss is {sums[0]} at step {self.step}; lower lr, or look into {', '.join(keys)}")
        names = ["loss", *(f"{name}{n}" for n, part in losses[0].passes.items() for name in part._fields)]
        return {name: round(value, 5) for name, value in zip(names, sums, strict=True)}

    def _update(self) -> float:
        """Clip and step; returns the gradient's norm. A gradient that is no number changes nothing."""
        self.scaler.unscale_(self.optimizer)
        norm = norm_of(torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.options.grad_clip))
        if self.scaler.is_enabled() or math.isfinite(norm):
            self.scaler.step(self.optimizer)
        self.scaler.update()
        return norm


def figures(loss: JointLoss) -> Tensor:
    """A loss and its parts, [1 + 4 per pass]."""
    parts = [value for part in loss.passes.values() for value in part]
    return torch.stack([value.detach().double() for value in (loss.total, *parts)])
