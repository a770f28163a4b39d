"""Recognisers, one per family, and the way from a name to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uniasr.recognizers.runtime import BACKENDS, Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uniasr.networks.graphs import Graph
    from uniasr.recognizers.punctuation import Punctuator
    from uniasr.recognizers.uniasr import Uniasr
    from uniasr.recognizers.vad import Vad
    from uniasr.text.kana_kanji import Converter

__all__ = ["BACKENDS", "load_converter", "load_model", "load_punctuator", "load_vad"]


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
    from uniasr.recognizers.uniasr import Uniasr, graphs_of

    runtime = Runtime(device, backend, threads)
    files = read_model(resolve(name))

    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_network
        from uniasr.networks.graphs import uniasr_graphs

        return uniasr_graphs(load_network(files))

    engine = runtime.open(files.directory, graphs_of(files.config), bool(files.graphs), make_graphs)
    return Uniasr(engine, files.config, files.tokens, files.cmvn, files.directory, files.card)


def load_vad(
    name: str | Path | None = None, device: str = "cpu", backend: str = "auto", threads: int | None = None
) -> Vad:
    """Load a voice activity detector; None means the packaged one. Arguments and errors are those of `load_model`."""
    from uniasr.checkpoints.fsmn_vad import read_fsmn_vad
    from uniasr.hub.resolve import DEFAULT_VAD, resolve
    from uniasr.recognizers.vad import GRAPHS, Vad

    runtime = Runtime(device, backend, threads)
    files = read_fsmn_vad(resolve(name, default=DEFAULT_VAD))

    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_fsmn_vad_network
        from uniasr.networks.graphs import fsmn_vad_graphs

        return fsmn_vad_graphs(load_fsmn_vad_network(files))

    engine = runtime.open(files.directory, GRAPHS, bool(files.graphs), make_graphs)
    return Vad(engine, files.config, files.cmvn, files.directory)


def load_punctuator(
    name: str | Path | None = None, device: str = "cpu", backend: str = "auto", threads: int | None = None
) -> Punctuator:
    """Load a punctuation model (CT-Transformer, offline or VAD-realtime); None means the packaged Japanese one.

    Arguments and errors are those of `load_model`; MissingExtraError also where jieba is missing for a model with a
    dictionary of its own.
    """
    from uniasr.checkpoints.ct_transformer import read_punctuation
    from uniasr.hub.resolve import DEFAULT_PUNCTUATION, resolve
    from uniasr.recognizers.punctuation import GRAPHS, Punctuator
    from uniasr.text.words import Splitter, split_words

    runtime = Runtime(device, backend, threads)
    files = read_punctuation(resolve(name, default=DEFAULT_PUNCTUATION))

    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_punctuation_network
        from uniasr.networks.graphs import ct_transformer_graphs

        return ct_transformer_graphs(load_punctuation_network(files))

    engine = runtime.open(files.directory, GRAPHS, files.graph is not None, make_graphs)
    split: Splitter = split_words
    if files.dictionary is not None:
        from uniasr.text.dictionary import DictionaryCutter

        split = DictionaryCutter(files.dictionary)
    return Punctuator(engine, files.config, files.words, split, files.directory)


def load_converter(name: str | Path | None = None) -> Converter:
    """Load a converter from kana to written Japanese; None means the packaged one.

    Raises ModelNotFoundError and ModelError as `load_model` does.
    """
    from uniasr.checkpoints.kana_kanji import read_kana_kanji
    from uniasr.hub.resolve import DEFAULT_CONVERTER, resolve
    from uniasr.text.kana_kanji import Converter

    files = read_kana_kanji(resolve(name, default=DEFAULT_CONVERTER))
    return Converter(files.tables, files.directory)
