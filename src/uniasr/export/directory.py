"""From a checkpoint to a directory that onnxruntime runs without PyTorch."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from uniasr.checkpoints import ModelFiles, write_native
from uniasr.checkpoints.ct_transformer import write_punctuation
from uniasr.checkpoints.ct_transformer_published import PunctuationFiles
from uniasr.checkpoints.fsmn_vad import FsmnVadFiles, write_fsmn_vad
from uniasr.checkpoints.network import load_fsmn_vad_network, load_network, load_punctuation_network
from uniasr.errors import OptionError
from uniasr.export.compress import compress_weights
from uniasr.export.onnx import export_graph
from uniasr.networks.graphs import Graph, ct_transformer_graphs, fsmn_vad_graphs, uniasr_graphs

STORAGES = ("float32", "int8")


def export_model(files: ModelFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()) -> Path:
    """Write the onnxruntime directory of a model with weights; nothing half-written stays behind.

    Args:
        files: a model directory with weights.
        output: the new directory.
        weights: how they are stored, "float32" or "int8" (a quarter of the size; arithmetic is float32 in both).
        extra: further files to put beside the graphs, such as a card.

    Raises OptionError for another storage, ModelError for weights that do not fit, OutputError when `output` cannot
    be written.
    """
    network = load_network(files)
    with tempfile.TemporaryDirectory() as scratch:
        paths = _write_graphs(uniasr_graphs(network), Path(scratch), weights)
        card = {key: value for key, value in files.card.items() if key != "layout"}
        return write_native(output, files.config, files.tokens, files.cmvn, files=[*paths, *extra], card=card)


def export_fsmn_vad(files: FsmnVadFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()) -> Path:
    """The same for a voice activity detector."""
    network = load_fsmn_vad_network(files)
    with tempfile.TemporaryDirectory() as scratch:
        paths = _write_graphs(fsmn_vad_graphs(network), Path(scratch), weights)
        card = {key: value for key, value in files.card.items() if key != "layout"}
        return write_fsmn_vad(output, files.config, files.cmvn, files=[*paths, *extra], card=card)


def export_punctuation(
    files: PunctuationFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()
) -> Path:
    """The same for a punctuation model."""
    network = load_punctuation_network(files)
    with tempfile.TemporaryDirectory() as scratch:
        paths = _write_graphs(ct_transformer_graphs(network), Path(scratch), weights)
        card = {key: value for key, value in files.card.items() if key != "layout"}
        dictionary = [] if files.dictionary is None else [files.dictionary]
        return write_punctuation(output, files.config, files.words, files=[*paths, *dictionary, *extra], card=card)


def _write_graphs(graphs: Mapping[str, Graph], directory: Path, weights: str) -> list[Path]:
    if weights not in STORAGES:
        raise OptionError(f"weights is {weights!r}; choose one of {', '.join(STORAGES)}")
    paths = []
    for name, graph in graphs.items():
        paths.append(directory / f"{name}.onnx")
        export_graph(graph, paths[-1])
        if weights == "int8":
            compress_weights(paths[-1])
    return paths
