"""From a published language model to a directory that onnxruntime runs without PyTorch."""

from __future__ import annotations

import tempfile
from pathlib import Path

from uniasr.checkpoints.language_model import (
    GRAPH,
    LanguageModelFiles,
    write_language_model,
)
from uniasr.checkpoints.network import load_language_model
from uniasr.export.compress import compress_weights
from uniasr.export.onnx import export_graph
from uniasr.networks.language_model import language_model_graph


def export_language_model(files: LanguageModelFiles, output: Path, *, weights: str = "float32") -> Path:
    """Write the onnxruntime directory of a language model with weights; nothing half-written stays behind.

    Raises ModelError for weights that do not fit, OutputError when `output` cannot be written.
    """
    graph = language_model_graph(load_language_model(files))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{GRAPH}.onnx"
        export_graph(graph, path)
        if weights == "int8":
            compress_weights(path)
        return write_language_model(output, files, path)
