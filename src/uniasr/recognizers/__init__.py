"""Recognisers, one per family, and the way from a name to a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uniasr.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from uniasr.checkpoints import ModelFiles
    from uniasr.engines.base import Engine
    from uniasr.recognizers.uniasr import Uniasr

BACKENDS = ("auto", "onnxruntime", "torch")


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
    from uniasr.recognizers.uniasr import Uniasr

    if backend not in BACKENDS:
        raise OptionError(f"backend is {backend!r}; choose one of {', '.join(BACKENDS)}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise OptionError(f"threads is {threads!r}; give a whole number of at least 1, or None")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise OptionError(f"device is {device!r}; choose 'cpu' or 'cuda' ('cuda:1' for the second GPU)")
    files = read_model(resolve(name))
    engine = _open_engine(files, device, backend, threads)
    return Uniasr(engine, files.config, files.tokens, files.cmvn, files.directory)


def _open_engine(files: ModelFiles, device: str, backend: str, threads: int | None) -> Engine:
    if backend == "onnxruntime" or (backend == "auto" and files.has_graphs):
        if not files.has_graphs:
            raise OptionError(
                f"{files.directory} has no .onnx graphs; make them with 'uniasr export {files.directory} --output DIR' "
                "or use backend='torch'"
            )
        from uniasr.engines.onnx import OnnxEngine
        from uniasr.recognizers.uniasr import GRAPHS

        return OnnxEngine(files.directory, GRAPHS, device, threads)
    return _torch_engine(files, device, threads)


def _torch_engine(files: ModelFiles, device: str, threads: int | None) -> Engine:
    try:
        import torch  # noqa: F401 - only to tell a missing PyTorch from other failures
    except ImportError as error:
        raise MissingExtraError(
            f"{files.directory} holds weights that need PyTorch: pip install 'uniasr[torch]', or run "
            "'uniasr export' once where PyTorch is installed"
        ) from error
    from uniasr.checkpoints.network import load_network
    from uniasr.engines.torch import TorchEngine
    from uniasr.networks.graphs import uniasr_graphs

    return TorchEngine(uniasr_graphs(load_network(files)), device, threads)
