"""What runs a model: the arguments that all loaders share, checked, and the engine that they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uniasr.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from uniasr.engines.base import Engine
    from uniasr.networks.graphs import Graph

BACKENDS = ("auto", "onnxruntime", "torch")
MOST_THREADS = 1024
"""Each graph of a model starts so many."""


def check_threads(threads: int | None) -> None:
    """Raise OptionError for a number of threads that no engine can have; None is its own choice."""
    if threads is None:
        return
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise OptionError(f"threads is {threads!r:.80}; give a whole number from 1 to {MOST_THREADS}, or None")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where a model runs; raises OptionError for what does not exist."""

    device: str = "cpu"
    backend: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise OptionError(f"backend is {self.backend!r:.80}; choose one of {', '.join(BACKENDS)}")
        check_threads(self.threads)
        if not isinstance(self.device, str) or not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise OptionError(f"device is {self.device!r:.80}; choose 'cpu' or 'cuda' ('cuda:1' for the second GPU)")

    def open(
        self, directory: Path, graphs: Sequence[str], has_graphs: bool, make_graphs: Callable[[], Mapping[str, Graph]]
    ) -> Engine:
        """The engine of a model directory.

        Args:
            directory: of the model.
            graphs: names of the `.onnx` files that it must have to run on onnxruntime.
            has_graphs: whether it has any.
            make_graphs: gives the torch modules; called only where there is PyTorch.

        Raises OptionError and MissingExtraError when the directory cannot run on what was chosen.
        """
        if self.backend == "onnxruntime" or (self.backend == "auto" and has_graphs):
            if not has_graphs:
                raise OptionError(
                    f"{directory} has no .onnx graphs; make them with 'uniasr export {directory} --output DIR' "
                    "or use backend='torch'"
                )
            from uniasr.engines.onnx import OnnxEngine

            return OnnxEngine(directory, graphs, self.device, self.threads)
        try:
            import torch  # noqa: F401 - only to tell a missing PyTorch from other failures
        except ImportError as error:
            raise MissingExtraError(
                f"{directory} holds weights that need PyTorch: pip install 'uniasr[torch]', or run "
                "'uniasr export' once where PyTorch is installed"
            ) from error
        from uniasr.engines.torch import TorchEngine

        return TorchEngine(make_graphs(), self.device, self.threads)
