"""What a run does, and the learning rate of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, pi, sqrt
from typing import Literal

from uniasr.errors import OptionError
from uniasr.training.augment import ChannelConfig, SpecAugmentConfig
from uniasr.training.objective import ObjectiveOptions

SCHEDULES = ("constant", "inverse_sqrt", "cosine")
LOWEST = 0.05
"""Share of the rate that a decay ends at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """How a run learns. `steps`, `epochs` and `decay_steps` may be changed when it is resumed."""

    steps: int = 0
    """Updates after which the run ends; 0: `epochs` decide."""
    epochs: int = 0
    """Epochs after which it ends; 0: `steps` decide."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    lr: float = 1e-3
    """The highest rate, reached after the warm-up."""
    schedule: Literal["constant", "inverse_sqrt", "cosine"] = "constant"
    """After a linear warm-up: stay; fall with the root of the step; or fall along a cosine until the last step."""
    warmup_steps: int = 400
    decay_steps: int = 0
    """Last of `steps`, over which the rate also falls linearly to a twentieth."""
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 1e-2
    grad_clip: float = 5.0
    accumulate: int = 1
    """Batches whose gradients are added for one update."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of matrix products; weights and optimiser stay float32. float16 needs a GPU."""
    shard: bool = False
    """Divide parameters, gradients and optimiser state over the processes; may be changed when the run is resumed."""
    seed: int = 1
    objective: ObjectiveOptions = field(default_factory=ObjectiveOptions)
    spec_augment: SpecAugmentConfig | None = field(default_factory=SpecAugmentConfig)
    channel: ChannelConfig | None = None
    save_every: int = 200
    """Steps between snapshots, each after an evaluation where there is one; 0: at the end of every epoch."""
    keep: int = 8
    """Newest snapshots of the weights that stay for averaging."""
    keep_best: int = 5
    """Snapshots with the best evaluations that stay as well."""
    metric: str = "loss"
    """Entry of an evaluation that decides which is better; lower is better."""
    patience: int = 0
    """Evaluations in a row without a new best after which the run ends; 0: never."""
    log_every: int = 20

    def __post_init__(self) -> None:
        if self.steps < 1 and self.epochs < 1:
            raise OptionError("give the steps or the epochs after which training ends")
        if (self.schedule == "cosine" or self.decay_steps) and self.steps < 1:
            raise OptionError("a rate that falls towards the end (cosine, decay_steps) needs the number of steps")
        if self.shard and self.precision == "float16":
            raise OptionError("shard works with precision float32 and bfloat16")
        for name in ("accumulate", "warmup_steps", "keep", "log_every"):
            if getattr(self, name) < 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must be at least 1")


def learning_rate(step: int, options: TrainOptions) -> float:
    """Rate of a step, counted from 0. Sources: inverse_sqrt is WarmupLR of ESPnet and funasr, with its peak at `lr`."""
    number = step + 1
    if number < options.warmup_steps:
        share = number / options.warmup_steps
    elif options.schedule == "inverse_sqrt":
        share = sqrt(options.warmup_steps / number)
    elif options.schedule == "cosine":
        passed = (number - options.warmup_steps) / max(1, options.steps - options.warmup_steps)
        share = LOWEST + (1 - LOWEST) * (1 + cos(pi * min(1.0, passed))) / 2
    else:
        share = 1.0
    left = (options.steps - step) / options.decay_steps if options.decay_steps else 1.0
    return options.lr * share * max(LOWEST, min(1.0, left))
