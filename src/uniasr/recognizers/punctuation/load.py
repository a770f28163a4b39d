"""The way from a name to a punctuation model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from uniasr.recognizers.runtime import Runtime

if TYPE_CHECKING:
    from uniasr.networks.graphs import Graph
    from uniasr.recognizers.punctuation.model import Punctuator

DEFAULT = "ja-punctuation"


def load_punctuator(
    name: str | Path | None = None, device: str = "cpu", backend: str = "auto", threads: int | None = None
) -> Punctuator:
    """Load a punctuation model (CT-Transformer, offline or VAD-realtime).

    Args:
        name: a model directory, a hub name whose files lie in a local cache, or None for the packaged Japanese model.
        device: "cpu" or "cuda".
        backend: "onnxruntime", "torch", or "auto": onnxruntime where the directory has a graph, else torch.
        threads: per call; None leaves it to the runtime.

    Raises ModelNotFoundError and ModelError for models, OptionError for the other arguments, MissingExtraError where
    torch, or jieba for a model with its own dictionary, is needed and missing.
    """
    from uniasr.checkpoints.ct_transformer import read_punctuation
    from uniasr.hub.resolve import resolve
    from uniasr.recognizers.punctuation.model import Punctuator
    from uniasr.recognizers.punctuation.network import GRAPH
    from uniasr.text.words import Splitter, split_words

    runtime = Runtime(device, backend, threads)
    files = read_punctuation(resolve(DEFAULT if name is None else name))

    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_punctuation_network
        from uniasr.networks.graphs import ct_transformer_graphs

        return ct_transformer_graphs(load_punctuation_network(files))

    split: Splitter = split_words
    if files.dictionary is not None:
        from uniasr.text.dictionary import DictionaryCutter

        split = DictionaryCutter(files.dictionary)
    engine = runtime.open(files.directory, (GRAPH,), files.graph is not None, make_graphs)
    return Punctuator(engine, files.config, files.words, split, files.directory)
