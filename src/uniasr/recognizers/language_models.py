"""From the name of a language model to the scorer of a search, for any recogniser with a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from uniasr.checkpoints.language_model import (
    GRAPH,
    LanguageModelFiles,
    read_language_model,
)
from uniasr.checkpoints.stamps import Stamp, stamp_of
from uniasr.configs.language_model import LanguageModelConfig, TransformerLmConfig
from uniasr.decoding.kenlm import is_kenlm, read_kenlm
from uniasr.decoding.lm import LanguageModel, LmScorer
from uniasr.decoding.ngram import read_arpa
from uniasr.engines.base import Engine
from uniasr.errors import ModelError, ModelNotFoundError, OptionError, first_line
from uniasr.recognizers.runtime import Runtime
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import F32, I64

if TYPE_CHECKING:
    from uniasr.networks.graphs import Graph

State = Mapping[str, npt.NDArray[Any]]


class NetworkLm:
    """A network of `checkpoints.language_model` as a `decoding.lm.LanguageModel`; states are arrays by name."""

    def __init__(self, engine: Engine, config: LanguageModelConfig) -> None:
        self._engine, self._config = engine, config
        self.vocab_size = config.vocab_size

    def start(self, beam: int) -> State:
        """Nothing seen: no position, or zeros."""
        config = self._config
        if isinstance(config, TransformerLmConfig):
            past, head = (beam, config.layer, config.head), config.att_unit // config.head
            shapes: dict[str, tuple[int, ...]] = {
                "position": (beam, 1),
                "seen": (beam, 0),
                "keys": (*past, head, 0),
                "values": (*past, 0, head),
            }
        else:
            shapes = dict.fromkeys(("hidden", "cell"), (beam, config.nlayers, config.hidden))
        return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}

    def predict(self, state: State, tokens: I64) -> tuple[F32, State]:
        """One run of the graph."""
        names = {name: f"next_{name}" for name in state}
        out = self._engine.run(GRAPH, {"tokens": tokens, **state}, ["log_probs", *names.values()])
        return out["log_probs"], {name: out[new] for name, new in names.items()}

    def select(self, state: State, parents: I64) -> State:
        """Rows of the parents."""
        return {name: array[parents] for name, array in state.items()}


def lm_scorer(name: str | PathLike[str] | None, weight: float, vocabulary: Vocabulary) -> LmScorer | None:
    """The scorer of a call; None without a language model, or with weight 0.

    Args:
        name: an `.arpa` or `.arpa.gz` file, a binary file of KenLM, or a directory that `read_language_model` reads.
        weight: of its log-probabilities.
        vocabulary: the recogniser's; that of the language model must be the same.

    Raises ModelNotFoundError and ModelError for the language model, MissingExtraError where PyTorch is needed for its
    weights and missing.
    """
    if name is None or not weight:
        return None
    if not isinstance(name, str | PathLike):
        raise OptionError(f"lm is {name!r:.60}; give an .arpa file, a binary file of KenLM, or a directory")
    try:
        path = Path(name).expanduser().resolve(strict=True)
        stamp = stamp_of(path)
        if path.is_file():
            path.open("rb").close()  # it may be there and not be ours to read
    except (OSError, RuntimeError, ValueError) as error:  # no such file or user, no permission, too long
        raise ModelNotFoundError(
            f"there is no language model {name!s:.200} that can be read ({first_line(error):.200}); give an .arpa "
            "file, a binary file of KenLM, or a directory"
        ) from error
    return LmScorer(_loaded(path, stamp, vocabulary), weight)


@lru_cache(maxsize=2)
def _loaded(path: Path, _stamp: Stamp, vocabulary: Vocabulary) -> LanguageModel:
    """Kept for the next call, until its files change."""
    if path.is_file():
        ids = {token: i for i, token in enumerate(vocabulary.tokens)}
        if is_kenlm(path):
            return read_kenlm(path, ids)
        if path.suffixes[-1:] != [".arpa"] and path.suffixes[-2:] != [".arpa", ".gz"]:
            raise ModelError(f"{path} is no .arpa or .arpa.gz file, and no binary file of KenLM")
        return read_arpa(path, ids)
    files = read_language_model(path)
    _check_tokens(files, vocabulary)
    return NetworkLm(_engine(files), files.config)


def _check_tokens(files: LanguageModelFiles, vocabulary: Vocabulary) -> None:
    own = files.config.vocab_size
    if own != len(vocabulary) or files.tokens not in (None, vocabulary.tokens):
        raise OptionError(
            f"the language model in {files.directory} has {own} tokens, the recogniser {len(vocabulary)}; "
            "both must have the same ones in the same order"
        )


def _engine(files: LanguageModelFiles) -> Engine:
    def make_graphs() -> Mapping[str, Graph]:
        from uniasr.checkpoints.network import load_language_model
        from uniasr.networks.language_model import language_model_graph

        return {GRAPH: language_model_graph(load_language_model(files))}

    exported = files.weights is None
    runtime = Runtime(threads=1 if exported else None)  # torch's number would be that of the whole process
    return runtime.open(files.directory, (GRAPH,), exported, make_graphs)
