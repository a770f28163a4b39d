"""The torch engine: graphs are modules in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from uniasr.engines.base import Arrays
from uniasr.errors import OptionError

if TYPE_CHECKING:
    from uniasr.networks.graphs import Graph


class TorchEngine:
    """Runs graph modules on a torch device.

    `threads` sets torch's own thread count, which is one number for the whole process.
    """

    name = "torch"

    def __init__(self, graphs: Mapping[str, Graph], device: str = "cpu", threads: int | None = None) -> None:
        if device.split(":")[0] == "cuda" and not torch.cuda.is_available():
            raise OptionError(f"device is {device!r:.80} but torch sees no GPU here; use device='cpu'")
        self.device, self.threads = device, threads
        if threads is not None:
            torch.set_num_threads(threads)
        self._graphs = graphs
        for graph in graphs.values():
            graph.module.eval().to(device)

    def run(self, graph: str, inputs: Arrays, outputs: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """The named outputs of one graph."""
        wanted = self._graphs[graph]
        with torch.inference_mode():
            arguments = [torch.from_numpy(np.ascontiguousarray(inputs[name])).to(self.device) for name in wanted.inputs]
            results = wanted.module(*arguments)
        results = results if isinstance(results, tuple) else (results,)
        found = dict(zip(wanted.outputs, results, strict=True))
        return {name: found[name].cpu().numpy() for name in outputs}
