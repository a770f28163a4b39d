"""From a punctuation checkpoint to a directory that onnxruntime runs without PyTorch."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from uniasr.checkpoints.ct_transformer import write_punctuation
from uniasr.checkpoints.ct_transformer_published import PunctuationFiles
from uniasr.checkpoints.network import load_punctuation_network
from uniasr.errors import OptionError
from uniasr.export.compress import compress_weights
from uniasr.export.directory import STORAGES
from uniasr.export.onnx import export_graph
from uniasr.networks.graphs import ct_transformer_graphs


def export_punctuation(
    files: PunctuationFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()
) -> Path:
    """Write the onnxruntime directory of a punctuation model; arguments and errors as in `export_model`."""
    if weights not in STORAGES:
        raise OptionError(f"weights is {weights!r}; choose one of {', '.join(STORAGES)}")
    network = load_punctuation_network(files)
    with tempfile.TemporaryDirectory() as scratch:
        ((name, graph),) = ct_transformer_graphs(network).items()
        path = Path(scratch) / f"{name}.onnx"
        export_graph(graph, path)
        if weights == "int8":
            compress_weights(path)
        card = {key: value for key, value in files.card.items() if key != "layout"}
        dictionary = [] if files.dictionary is None else [files.dictionary]
        return write_punctuation(output, files.config, files.words, files=[path, *dictionary, *extra], card=card)
