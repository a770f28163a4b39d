"""From a checkpoint with PyTorch weights to a directory that onnxruntime runs."""

from __future__ import annotations

import warnings
from pathlib import Path

from uniasr.checkpoints import read_model
from uniasr.checkpoints.ct_transformer import PunctuationFiles, is_punctuation, read_punctuation
from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.fsmn_vad import FsmnVadFiles, is_fsmn_vad, read_fsmn_vad
from uniasr.checkpoints.language_model import LanguageModelFiles, is_language_model, read_language_model
from uniasr.cli.sinks import put
from uniasr.errors import MissingExtraError, ModelError
from uniasr.graph_files import graph_files
from uniasr.hub import resolve


def run(name: str, output: str, weights: str) -> None:
    """Export the model, of whatever kind, and say what has been written."""
    files = _read(resolve(name))
    if files.weights is None:
        raise ModelError(f"{files.directory} has no PyTorch weights to export; it is an onnxruntime directory already")
    try:
        import onnx  # noqa: F401 - only to tell a missing package from other failures
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"export needs PyTorch and onnx ({error}); install them with pip install 'uniasr[export]'"
        ) from error
    from uniasr.export.directory import (
        export_fsmn_vad,
        export_language_model,
        export_model,
        export_punctuation,
    )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's notes about tracing are for whoever writes the network
        if isinstance(files, FsmnVadFiles):
            directory = export_fsmn_vad(files, Path(output), weights=weights)
        elif isinstance(files, PunctuationFiles):
            directory = export_punctuation(files, Path(output), weights=weights)
        elif isinstance(files, LanguageModelFiles):
            directory = export_language_model(files, Path(output), weights=weights)
        else:
            directory = export_model(files, Path(output), weights=weights)
    sizes = [path.stat().st_size for path in directory.iterdir()]
    put(f"{directory}: {len(graph_files(directory))} graphs, {sum(sizes) / 1e6:.1f} MB\n")


def _read(place: Path) -> ModelFiles | FsmnVadFiles | PunctuationFiles | LanguageModelFiles:
    if is_fsmn_vad(place):
        return read_fsmn_vad(place)
    if is_language_model(place):
        return read_language_model(place)
    return read_punctuation(place) if is_punctuation(place) else read_model(place)
