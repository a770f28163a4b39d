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
from uniasr.checkpoints.ngram import STEP, NgramFiles, is_ngram, read_ngram
from uniasr.checkpoints.stamps import Stamp, stamp_of
from uniasr.configs.language_model import LanguageModelConfig, TransformerLmConfig
from uniasr.decoding.kenlm import is_kenlm, read_kenlm
from uniasr.decoding.lm import LanguageModel, LmScorer
from uniasr.decoding.ngram import NgramModel, read_arpa
from uniasr.engines.base import Engine
from uniasr.errors import ModelError, ModelNotFoundError, OptionError, first_line
from uniasr.hub.resolve import named_part, packaged_models, resolve_part
from uniasr.recognizers.runtime import Runtime
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import F32, I64, DecodingOptions

if TYPE_CHECKING:
    from uniasr.networks.graphs import Graph

NONE = "none"

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


class OtherTokens:
    """A language model over the tokens of another vocabulary, as after a recogniser was trained with more of them."""

    def __init__(self, model: LanguageModel, own: Vocabulary, wanted: Vocabulary) -> None:
        """Tokens that the model does not have are to it as `<unk>`, its last token."""
        ids = {token: i for i, token in enumerate(own.tokens)}
        self._model, self._ids = model, np.array([ids.get(token, len(own) - 1) for token in wanted.tokens])
        self.vocab_size = len(wanted)

    def start(self, beam: int) -> Any:
        """As the model's."""
        return self._model.start(beam)

    def predict(self, state: Any, tokens: I64) -> tuple[F32, Any]:
        """Its log-probabilities in the order of the wanted tokens."""
        log_probs, after = self._model.predict(state, self._ids[tokens])
        return log_probs[:, self._ids], after

    def select(self, state: Any, parents: I64) -> Any:
        """As the model's."""
        return self._model.select(state, parents)


def lm_of_call(
    options: DecodingOptions, vocabulary: Vocabulary, card: Mapping[str, Any], model: Path | None
) -> LmScorer | None:
    """The scorer that the options, or else the yaml in the directory `model` (`parts: lm`), ask for.

    One that only the yaml names is passed over where the recogniser lacks some of its tokens, as after training with
    others. Raises as `lm_scorer` does.
    """
    if options.lm is not None:
        return None if options.lm == NONE else lm_scorer(options.lm, options.lm_weight, vocabulary)
    named = named_part(card, "lm")
    if named in (None, NONE):
        return None
    try:
        return lm_scorer(resolve_part(named, model), options.lm_weight, vocabulary)
    except _TokensMissingError:
        return None


def lm_scorer(name: str | PathLike[str], weight: float, vocabulary: Vocabulary) -> LmScorer | None:
    """The scorer of a language model; None with weight 0.

    Args:
        name: an `.arpa` or `.arpa.gz` file, a binary file of KenLM, a directory that `read_language_model` or
            `read_ngram` reads, or the name of a packaged one.
        weight: of its log-probabilities.
        vocabulary: the recogniser's; that of the language model must be the same.

    Raises ModelNotFoundError and ModelError for the language model, OptionError where it has other tokens,
    MissingExtraError where PyTorch is needed for its weights and missing.
    """
    if not weight:
        return None
    if not isinstance(name, str | PathLike):
        raise OptionError(f"lm is {name!r:.60}; give an .arpa file, a binary file of KenLM, a directory, or a name")
    try:
        packaged = packaged_models().get(name) if isinstance(name, str) else None
        path = (packaged or Path(name).expanduser()).resolve(strict=True)
        stamp = stamp_of(path)
        if path.is_file():
            path.open("rb").close()  # it may be there and not be ours to read
    except (OSError, RuntimeError, ValueError) as error:  # no such file or user, no permission, too long
        raise ModelNotFoundError(
            f"there is no language model {name!s:.200} that can be read ({first_line(error):.200}); give an .arpa "
            "file, a binary file of KenLM, a directory, or the name of a packaged one"
        ) from error
    return LmScorer(_loaded(path, stamp, vocabulary), weight)


@lru_cache(maxsize=4)
def _loaded(path: Path, _stamp: Stamp, vocabulary: Vocabulary) -> LanguageModel:
    """Kept for the next call, until its files change."""
    if path.is_file():
        ids = {token: i for i, token in enumerate(vocabulary.tokens)}
        if is_kenlm(path):
            return read_kenlm(path, ids)
        if path.suffixes[-1:] != [".arpa"] and path.suffixes[-2:] != [".arpa", ".gz"]:
            raise ModelError(f"{path} is no .arpa or .arpa.gz file, and no binary file of KenLM")
        return read_arpa(path, ids)
    if is_ngram(path):
        return _ngram(read_ngram(path), vocabulary)
    files = read_language_model(path)
    _check_tokens(files, vocabulary)
    return NetworkLm(_engine(files), files.config)


class _TokensMissingError(OptionError):
    """The recogniser has not all tokens of the language model."""


def _ngram(files: NgramFiles, vocabulary: Vocabulary) -> LanguageModel:
    """The n-gram model of a directory for a recogniser that has its tokens, and perhaps others."""
    if not set(files.vocabulary.tokens) <= set(vocabulary.tokens):
        raise _TokensMissingError(
            f"the language model in {files.directory} has tokens that this recogniser lacks; another one has them"
        )
    model = NgramModel.from_tables(
        (
            order.tokens,
            -STEP * order.costs.astype(np.float32),
            order.followers,
            STEP * order.backoffs.astype(np.float32),
        )
        for order in files.orders
    )
    same = files.vocabulary.tokens == vocabulary.tokens
    return model if same else OtherTokens(model, files.vocabulary, vocabulary)


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
