"""The processes of one run: alone, or started by `torchrun` on one or more machines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import torch
from torch import distributed, nn
from torch.distributed.fsdp import FSDPModule
from torch.nn.parallel import DistributedDataParallel

from uniasr.errors import OptionError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Processes:
    """The own process among those of the run, and the device it computes on."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    world: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, with its gradients averaged over all processes where there are several.

        A divided module does that by itself.
        """
        if self.world == 1 or isinstance(module, FSDPModule):
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices)

    def apart(self, module: nn.Module) -> AbstractContextManager[Any]:
        """Within it, gradients stay in this process; the next backward pass outside brings them together."""
        return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()

    def total(self, values: torch.Tensor) -> list[float]:
        """Sums of [n] values over all processes."""
        values = values.detach().to(self.device, torch.float64)
        if self.world > 1:
            distributed.all_reduce(values)
        return cast("list[float]", values.tolist())

    def gather(self, value: Value) -> list[Value]:
        """The value of every process, in the order of their ranks."""
        values = [value] * self.world
        if self.world > 1:
            distributed.all_gather_object(values, value)
        return values


@contextmanager
def joined(device: str = "cpu") -> Iterator[Processes]:
    """The own place in the run; joins the others if `torchrun` (or `torch.distributed.launch`) started it.

    `device` is `cpu` or `cuda`; a number after `cuda` is left to the launcher where there are several processes.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise OptionError(f"device is {device}, but PyTorch finds no such GPU here; use device='cpu'")
    if world == 1:
        yield Processes(torch.device(device))
        return
    place = torch.device(device)
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Processes(place, distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()


def own_share(items: Sequence[Value], rank: int, world: int) -> Sequence[Value]:
    """What a process takes of a batch: every `world`-th item; a batch too small for all gives the rest its first."""
    return items[rank::world] or items[:1]
