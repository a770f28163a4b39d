"""Recognisers, one per family, and the way from a name to a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uniasr.errors import MissingExtraError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uniasr.checkpoints import ModelFiles
    from uniasr.checkpoints.fsmn_vad import FsmnVadFiles
    from uniasr.engines.base import Engine
    from uniasr.networks.graphs import Graph
    from uniasr.recognizers.uniasr import Uniasr
    from uniasr.recognizers.vad import Vad

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
    from uniasr.recognizers.uniasr import GRAPHS, Uniasr

    _check(device, backend, threads)
    files = read_model(resolve(name))

    def graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_network
        from uniasr.networks.graphs import uniasr_graphs

        return uniasr_graphs(load_network(files))

    engine = _open_engine(files, GRAPHS, graphs, device, backend, threads)
    return Uniasr(engine, files.config, files.tokens, files.cmvn, files.directory)


def load_vad(
    name: str | Path | None = None, device: str = "cpu", backend: str = "auto", threads: int | None = None
) -> Vad:
    """Load a voice activity detector; None means the packaged one. Arguments and errors are those of `load_model`."""
    from uniasr.checkpoints.fsmn_vad import read_fsmn_vad
    from uniasr.hub.resolve import DEFAULT_VAD, resolve
    from uniasr.recognizers.vad import GRAPHS, Vad

    _check(device, backend, threads)
    files = read_fsmn_vad(resolve(name, default=DEFAULT_VAD))

    def graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_fsmn_vad_network
        from uniasr.networks.graphs import fsmn_vad_graphs

        return fsmn_vad_graphs(load_fsmn_vad_network(files))

    engine = _open_engine(files, GRAPHS, graphs, device, backend, threads)
    return Vad(engine, files.config, files.cmvn, files.directory)


def _check(device: str, backend: str, threads: int | None) -> None:
    if backend not in BACKENDS:
        raise OptionError(f"backend is {backend!r}; choose one of {', '.join(BACKENDS)}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise OptionError(f"threads is {threads!r}; give a whole number of at least 1, or None")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise OptionError(f"device is {device!r}; choose 'cpu' or 'cuda' ('cuda:1' for the second GPU)")


def _open_engine(
    files: ModelFiles | FsmnVadFiles,
    names: tuple[str, ...],
    graphs: Callable[[], Mapping[str, Graph]],
    device: str,
    backend: str,
    threads: int | None,
) -> Engine:
    """The engine for a model: onnxruntime with the graphs of these names, or torch with the modules that it makes."""
    if backend == "onnxruntime" or (backend == "auto" and files.has_graphs):
        if not files.has_graphs:
            raise OptionError(
                f"{files.directory} has no .onnx graphs; make them with 'uniasr export {files.directory} --output DIR' "
                "or use backend='torch'"
            )
        from uniasr.engines.onnx import OnnxEngine

        return OnnxEngine(files.directory, names, device, threads)
    try:
        import torch  # noqa: F401 - only to tell a missing PyTorch from other failures
    except ImportError as error:
        raise MissingExtraError(
            f"{files.directory} holds weights that need PyTorch: pip install 'uniasr[torch]', or run "
            "'uniasr export' once where PyTorch is installed"
        ) from error
    from uniasr.engines.torch import TorchEngine

    return TorchEngine(graphs(), device, threads)
