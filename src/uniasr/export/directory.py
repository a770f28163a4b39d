"""From a checkpoint to a directory that onnxruntime runs without PyTorch."""

from __future__ import annotations

import tempfile
from pathlib import Path

from uniasr.checkpoints import ModelFiles, write_native
from uniasr.checkpoints.network import load_network
from uniasr.export.onnx import export_graph
from uniasr.networks.graphs import uniasr_graphs


def export_model(files: ModelFiles, output: Path) -> Path:
    """Write the onnxruntime directory of a model with weights; nothing half-written stays behind.

    Raises ModelError for weights that do not fit, OutputError when `output` cannot be written.
    """
    network = load_network(files)
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for name, graph in uniasr_graphs(network).items():
            paths.append(Path(scratch) / f"{name}.onnx")
            export_graph(graph, paths[-1])
        return write_native(output, files.config, files.tokens, files.cmvn, files=paths, card=files.card)
