"""Directories of punctuation models: our own layout, and the way to the published ones.

Our own: `model.yaml` with the family `ct_transformer`, `tokens.txt`, and `model.safetensors` or `punctuation.onnx`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniasr.checkpoints.ct_transformer_published import (
    DICTIONARY,
    PunctuationFiles,
    published_config,
    read_published_punctuation,
)
from uniasr.checkpoints.own_layout import (
    DESCRIPTION,
    WEIGHTS,
    description,
    family_of,
    is_native,
    read_description,
    staged_model,
    write_state,
)
from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.configs.records import from_plain
from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.text.words import WordList, read_words

if TYPE_CHECKING:
    import torch

__all__ = ["GRAPH_FILE", "PunctuationFiles", "is_punctuation", "read_punctuation", "write_punctuation"]

FAMILY = "ct_transformer"
GRAPH_FILE = "punctuation.onnx"


def is_punctuation(directory: Path) -> bool:
    """Whether the directory says that it holds a punctuation model; it may still be damaged."""
    if is_native(directory):
        return family_of(directory) == FAMILY
    try:
        return published_config(directory) is not None
    except ModelError:
        return False


def read_punctuation(directory: Path) -> PunctuationFiles:
    """Read a punctuation model of any known layout.

    Raises ModelNotFoundError when there is no such directory, ModelError naming the file, the entry and what is
    supported.
    """
    if not directory.is_dir():
        raise ModelNotFoundError(f"{directory} is no directory; a model is a directory with its files")
    if is_native(directory):
        return _read_native(directory)
    return read_published_punctuation(directory)


def write_punctuation(
    directory: Path,
    config: CtTransformerConfig,
    words: WordList,
    *,
    state: Mapping[str, torch.Tensor] | None = None,
    files: Iterable[Path] = (),
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a directory in our own layout, whole or not at all, and return it.

    Args:
        directory: where to; a model directory of ours there is replaced, anything else that is not empty is refused.
        config: the network and how its windows are cut.
        words: the word list; a word with a line end is refused.
        state: the parameters of the torch network, written as model.safetensors.
        files: further files to copy under their own names: the graph, a model card, a licence.
        card: plain values for the entry `card` of model.yaml.

    Raises OutputError when it cannot be written, ModelError when the parts do not make a model.
    """
    with staged_model(directory, description(FAMILY, config, card), files, _read_native) as staging:
        if any("\n" in word or "\r" in word for word in words.words):
            raise ModelError("a word holds a line end; such a list cannot be written as tokens.txt")
        lines = "".join(f"{word}\n" for word in words.words)
        (staging / "tokens.txt").write_text(lines, encoding="utf-8", newline="\n")
        if state is not None:
            write_state(staging / WEIGHTS, state)
    return directory


def _read_native(directory: Path) -> PunctuationFiles:
    path = directory / DESCRIPTION
    plain, card = read_description(directory, FAMILY, "a punctuation model")
    weights, graph = directory / WEIGHTS, directory / GRAPH_FILE
    if not weights.is_file() and not graph.is_file():
        raise ModelError(f"{directory} has neither {WEIGHTS} nor {GRAPH_FILE}; one of them is needed")
    return PunctuationFiles(
        directory=directory,
        config=from_plain(CtTransformerConfig, plain, f"{path}: config"),
        words=read_words(directory / "tokens.txt"),
        weights=weights if weights.is_file() else None,
        graph=graph if graph.is_file() else None,
        dictionary=directory / DICTIONARY if (directory / DICTIONARY).is_file() else None,
        card=card,
    )
