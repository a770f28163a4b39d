"""Directories of punctuation models: our own layout, and the way to the published ones.

Our own: `model.yaml` with the family `ct_transformer`, `tokens.txt`, `model.safetensors` or the graph.
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
    need_directory,
    read_description,
    staged_model,
    weights_and_graphs,
    write_state,
    write_tokens,
)
from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.configs.records import from_plain
from uniasr.errors import ModelError
from uniasr.text.words import WordList, read_words

if TYPE_CHECKING:
    import torch

__all__ = ["GRAPH", "PunctuationFiles", "is_punctuation", "read_punctuation", "write_punctuation"]

FAMILY = "ct_transformer"
GRAPH = "punctuation"


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
    need_directory(directory)
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
        write_tokens(staging / "tokens.txt", words.words)
        if state is not None:
            write_state(staging / WEIGHTS, state)
    return directory


def _read_native(directory: Path) -> PunctuationFiles:
    path = directory / DESCRIPTION
    plain, card = read_description(directory, FAMILY, "a punctuation model")
    weights, graphs = weights_and_graphs(directory, GRAPH)
    return PunctuationFiles(
        directory=directory,
        config=from_plain(CtTransformerConfig, plain, f"{path}: config"),
        words=read_words(directory / "tokens.txt"),
        weights=weights,
        graph=graphs[0] if graphs else None,
        dictionary=directory / DICTIONARY if (directory / DICTIONARY).is_file() else None,
        card=card,
    )
