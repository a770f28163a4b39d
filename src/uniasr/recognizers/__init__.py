"""Recognisers, one per family, and the way from a name to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from uniasr.recognizers.runtime import BACKENDS, Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from uniasr.networks.graphs import Graph
    from uniasr.recognizers.uniasr import Uniasr

__all__ = ["BACKENDS", "load_model"]


def load_model(
    name: str | Path | None = None, device: str = "cpu", backend: str = "auto", threads: int | None = None
) -> Uniasr:
    """Load a model.

    Args:
        name: a model directory, a hub name whose files lie in a local cache, or None for the packaged Japanese model.
        device: "cpu" or "cuda".
        backend: "onnxruntime", "torch", or "auto": onnxruntime where the directory has graphs, else torch.
        threads: per call; None leaves it to the runtime.

    Raises ModelNotFoundError and ModelError for models, OptionError for the other arguments, MissingExtraError where
    torch is needed and missing.
    """
    from uniasr.checkpoints import read_model
    from uniasr.hub.resolve import resolve
    from uniasr.recognizers.uniasr import GRAPHS, Uniasr

    runtime = Runtime(device, backend, threads)
    files = read_model(resolve(name))

    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_network
        from uniasr.networks.graphs import uniasr_graphs

        return uniasr_graphs(load_network(files))

    engine = runtime.open(files.directory, GRAPHS, files.has_graphs, make_graphs)
    return Uniasr(engine, files.config, files.tokens, files.cmvn, files.directory)
