"""From a checkpoint to a directory that onnxruntime runs without PyTorch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from uniasr.checkpoints import ModelFiles, write_native
from uniasr.checkpoints.ct_transformer import write_punctuation
from uniasr.checkpoints.ct_transformer_published import PunctuationFiles
from uniasr.checkpoints.fsmn_vad import FsmnVadFiles, write_fsmn_vad
from uniasr.checkpoints.language_model import GRAPH, LanguageModelFiles, write_language_model
from uniasr.checkpoints.network import (
    load_fsmn_vad_network,
    load_language_model,
    load_network,
    load_punctuation_network,
)
from uniasr.checkpoints.own_layout import WEIGHTS, check_output
from uniasr.errors import OptionError, OutputError
from uniasr.export.onnx import STORAGES, export_graphs
from uniasr.networks.graphs import Graph, ct_transformer_graphs, fsmn_vad_graphs, uniasr_graphs
from uniasr.networks.language_model import language_model_graph


def export_model(files: ModelFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()) -> Path:
    """Write the onnxruntime directory of a model with weights; nothing half-written stays behind.

    Args:
        files: a model directory with weights.
        output: the new directory; a model directory of ours there is replaced.
        weights: how they are stored, "float32", "int8" (a quarter of the size) or "packed" (a fifth, in gzip files);
            arithmetic is float32 in all.
        extra: further files to put beside the graphs, such as a card.

    Raises OptionError for another storage, ModelError for weights that do not fit, OutputError when `output` cannot
    be written, which is tried before the work begins.
    """
    with _graphs(output, weights, lambda: uniasr_graphs(load_network(files))) as graphs:
        return write_native(output, files.config, files.tokens, files.cmvn, files=[*graphs, *extra], card=files.card)


def export_fsmn_vad(files: FsmnVadFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()) -> Path:
    """The same for a voice activity detector."""
    with _graphs(output, weights, lambda: fsmn_vad_graphs(load_fsmn_vad_network(files))) as graphs:
        return write_fsmn_vad(output, files.config, files.cmvn, files=[*graphs, *extra], card=files.card)


def export_punctuation(
    files: PunctuationFiles, output: Path, *, weights: str = "float32", extra: Sequence[Path] = ()
) -> Path:
    """The same for a punctuation model."""
    dictionary = [] if files.dictionary is None else [files.dictionary]
    with _graphs(output, weights, lambda: ct_transformer_graphs(load_punctuation_network(files))) as graphs:
        return write_punctuation(
            output, files.config, files.words, files=[*graphs, *dictionary, *extra], card=files.card
        )


def export_language_model(files: LanguageModelFiles, output: Path, *, weights: str = "float32") -> Path:
    """The same for a language model."""
    with _graphs(output, weights, lambda: {GRAPH: language_model_graph(load_language_model(files))}) as (graph,):
        return write_language_model(output, files, graph)


@contextmanager
def _graphs(output: Path, storage: str, make: Callable[[], Mapping[str, Graph]]) -> Iterator[list[Path]]:
    """Files of the graphs, there while the block runs. Made last of all: it takes minutes for a large network."""
    if storage not in STORAGES:
        raise OptionError(f"weights is {storage!r:.80}; choose one of {', '.join(STORAGES)}")
    check_output(output)
    if (output / WEIGHTS).exists():
        raise OutputError(f"{output} holds weights ({WEIGHTS}), which the export would remove; choose another place")
    with tempfile.TemporaryDirectory() as scratch:
        yield export_graphs(make(), Path(scratch), storage)
