"""One run from prepared data to a result directory: what fine-tuning and training from scratch share.

`OUTPUT/run` holds snapshots and the log, `OUTPUT` itself the resulting model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch

from uniasr.engines.torch import TorchEngine
from uniasr.errors import ModelError, OptionError, OutputError
from uniasr.features.cmvn import Cmvn
from uniasr.networks.graphs import uniasr_graphs
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.recognizers.uniasr import Uniasr
from uniasr.text.vocabulary import Vocabulary
from uniasr.training.augment import ChannelConfig, SpecAugmentConfig
from uniasr.training.batches import Batches, BatchOptions
from uniasr.training.data.clips import Clip
from uniasr.training.data.prepare import Prepared
from uniasr.training.dev import dev_loss
from uniasr.training.evaluation.errors import Counts, align, count
from uniasr.training.evaluation.units import characters
from uniasr.training.loop import Trainer
from uniasr.training.objective import ObjectiveOptions
from uniasr.training.options import SCHEDULES, TrainOptions
from uniasr.training.processes import Processes
from uniasr.training.result import ORIGIN, TOKENS, write_result
from uniasr.training.snapshots import average, best_weights, newest_weights, replace_file
from uniasr.types import MODES

Value = TypeVar("Value")

RUN = "run"
LEAST_BATCHES = 8
"""A small set is cut into at least so many batches an epoch, however large `batch_bins` is."""
EVALUATIONS = 10
"""Times that a run is evaluated and saved, if epochs are not longer."""
MOST_STEPS_UNSAVED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run learns."""

    max_epoch: int = 50
    max_steps: int = 0
    """Updates after which the run ends, however many epochs that are; 0: `max_epoch` decides."""
    lr: float = 5e-5
    schedule: Literal["constant", "inverse_sqrt", "cosine"] = "constant"
    """What the rate does after the warm-up: stay; fall with the root of the step; or along a cosine to `max_steps`."""
    decay_steps: int = 0
    """Last of `max_steps`, over which the rate also falls linearly to a twentieth."""
    batch_bins: int = 16_000
    """Feature rows of a batch and process at most, padding included."""
    accumulate: int = 1
    warmup_steps: int | None = None
    """None: a tenth of all steps, at most 400."""
    patience: int = 0
    """Evaluations without a better one after which the run ends; 0: never."""
    evaluate_every: int | None = None
    """Steps between evaluations, which also save; None: ten times a run."""
    average: int = 5
    """Best snapshots whose mean is the result."""
    ctc_weight: float | None = None
    """Share of the CTC loss. The heads stay in the result's weights, for further training. None: 0, but in fine-tuning
    0.3 for a model whose heads serve at run time."""
    passes: tuple[int, ...] = (1, 2)
    freeze_pass1: bool = False
    spec_augment: bool = True
    vary_channel: bool = False
    """Also train on other microphones and vocal tracts than there are, drawn on the features."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    shard: bool = False
    """Divide parameters, gradients and optimiser state over the processes, for a model that does not fit one GPU."""
    seed: int = 1
    workers: int = 1
    """Threads that load data ahead; 0: a batch is loaded when it is needed."""
    dev_utterances: int = 200
    """Held-back utterances that are recognised at every evaluation, at most."""
    weights: str = "float32"
    """How the result's graphs store weights: float32 or int8."""

    def __post_init__(self) -> None:
        for name in ("max_epoch", "batch_bins", "accumulate", "average", "warmup_steps", "evaluate_every"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise OptionError(f"{name} is {value}; it must be at least 1")
        for name in ("max_steps", "decay_steps", "patience", "seed", "workers", "dev_utterances"):
            if getattr(self, name) < 0:
                raise OptionError(f"{name} is {getattr(self, name)}; it cannot be negative")
        if self.schedule not in SCHEDULES:
            raise OptionError(f"schedule is {self.schedule!r:.80}; choose one of {', '.join(SCHEDULES)}")
        if (self.schedule == "cosine" or self.decay_steps) and not self.max_steps:
            raise OptionError("a rate that falls towards the end (cosine, decay_steps) needs max_steps")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise OptionError(f"lr is {self.lr}; give a positive number")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise OptionError(f"precision is {self.precision!r:.80}; choose 'float32', 'bfloat16' or 'float16'")
        if self.weights not in ("float32", "int8"):
            raise OptionError(f"weights is {self.weights!r:.80}; choose 'float32' or 'int8'")


@dataclass(frozen=True, slots=True)
class Extras:
    """What the result directory holds besides the model, and what the run begins with."""

    origin: str
    card: Mapping[str, Any]
    files: tuple[Path, ...] = ()


def first_alone(processes: Processes, make: Callable[[bool], Value]) -> Value:
    """A value that every process makes, the first one before the others, which use the files that it wrote."""
    if not processes.is_first:
        processes.gather(None)
        return make(False)
    value = make(True)
    processes.gather(None)
    return value


def fit(
    network: UniasrNetwork,
    prepared: Prepared,
    cmvn: Cmvn,
    output: Path,
    options: RunOptions,
    processes: Processes,
    extras: Extras,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train, resuming what was begun in `output`, and write the result there; every process of the run calls this."""
    run = output / RUN
    trainer = Trainer(network, run, train_options(options, prepared.num_rows, processes.world), processes)
    if processes.is_first:
        _keep(run, extras.origin, prepared.vocabulary)
    if trainer.resume():
        tell(f"going on after step {trainer.step}, epoch {trainer.place.epoch}")
    batch_options = BatchOptions(batch_rows=batch_rows(options, prepared.num_rows, processes.world))
    share = {"rank": processes.rank, "world": processes.world}
    batches = Batches(prepared.train, cmvn, batch_options, seed=options.seed, workers=options.workers, **share)
    evaluate = None
    if prepared.dev is not None:
        dev = Batches(prepared.dev, cmvn, BatchOptions(batch_rows=batch_options.batch_rows, join_share=0.0))
        held = HeldBack(prepared, cmvn, trainer.options.objective, dev, options.dev_utterances, processes)
        evaluate = held.evaluate
    trainer.run(batches, evaluate)
    if processes.is_first:
        chosen = best_weights(run, options.average) or newest_weights(run, options.average)
        parts = (network.config, prepared.vocabulary, cmvn, average(chosen))
        write_result(output, *parts, card=extras.card, extra=extras.files, weights=options.weights)
        tell(f"{output}: the mean of {len(chosen)} snapshots, after {trainer.step} steps")
    return output


def batch_rows(options: RunOptions, num_rows: int, world: int) -> int:
    """Rows of a batch and process, such that a small set makes several."""
    return min(options.batch_bins, max(1, -(-num_rows // (LEAST_BATCHES * world))))


def train_options(options: RunOptions, num_rows: int, world: int) -> TrainOptions:
    """Options of the loop; the number of steps is estimated where it matters only for when to look."""
    per_epoch = max(1, round(num_rows / (batch_rows(options, num_rows, world) * world * options.accumulate)))
    total = options.max_steps or per_epoch * options.max_epoch
    every = options.evaluate_every or min(MOST_STEPS_UNSAVED, max(per_epoch, total // EVALUATIONS))
    return TrainOptions(
        steps=options.max_steps,
        epochs=0 if options.max_steps else options.max_epoch,
        lr=options.lr,
        schedule=options.schedule,
        decay_steps=options.decay_steps,
        warmup_steps=max(1, min(400, total // 10)) if options.warmup_steps is None else options.warmup_steps,
        accumulate=options.accumulate,
        precision=options.precision,
        shard=options.shard,
        seed=options.seed,
        objective=ObjectiveOptions(
            ctc_weight=options.ctc_weight or 0.0, passes=options.passes, freeze_pass1=options.freeze_pass1
        ),
        spec_augment=SpecAugmentConfig() if options.spec_augment else None,
        channel=ChannelConfig() if options.vary_channel else None,
        save_every=every,
        keep=max(2, options.average),
        keep_best=options.average,
        patience=options.patience,
        log_every=min(20, every),
    )


def _keep(run: Path, origin: str, vocabulary: Vocabulary) -> None:
    """Write what the run begins with and its tokens, or see that these are those that it began with."""
    path = run / TOKENS
    text = "".join(f"{token}\n" for token in vocabulary.tokens)
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(run / ORIGIN, lambda file: file.write(origin.encode()))
            replace_file(path, lambda file: file.write(text.encode()))
        elif path.read_text(encoding="utf-8") != text:
            raise ModelError(f"{path.parent} was begun with another vocabulary; choose another --output to start anew")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


@dataclass(frozen=True)
class HeldBack:
    """The development set at every evaluation: its loss, and the character error rate in every mode."""

    prepared: Prepared
    cmvn: Cmvn
    objective: ObjectiveOptions
    batches: Batches
    most: int
    processes: Processes

    def evaluate(self, network: UniasrNetwork) -> dict[str, float]:
        """The loss that ranks snapshots, and error rates by mode where there is audio; the processes share the work."""
        numbers = dev_loss(network, self.batches, self.objective)
        clips = self.prepared.held_back[: self.most]
        if not clips:
            return numbers
        engine = TorchEngine(uniasr_graphs(network), str(self.processes.device))
        model = Uniasr(engine, network.config, self.prepared.vocabulary, self.cmvn)
        own = clips[self.processes.rank :: self.processes.world]
        for mode in MODES:
            counts = sum((self._count(model, clip, mode) for clip in own), Counts())
            errors, length = self.processes.total(torch.tensor([counts.errors, counts.length]))
            numbers[f"cer_{mode}"] = errors / max(1.0, length)
        return numbers

    def _count(self, model: Uniasr, clip: Clip, mode: str) -> Counts:
        audio = clip.load()
        heard = model.transcribe(audio.samples, audio.sample_rate_hz, mode, beam_size=1, output="kana")
        return count(align(characters(clip.text), characters(heard.text)))
