"""KenLM's n-gram files, binary or ARPA, read by the library itself (extra `kenlm`).

What `ngram.py` does for `.arpa` files without a library, this does for files that only KenLM can read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from uniasr.decoding.hypotheses import EOS, SOS
from uniasr.decoding.ngram import CACHED_VALUES, LN_10
from uniasr.errors import MissingExtraError, ModelError
from uniasr.types import F32, I64

MAGIC = b"mmap lm http://kheafield.com/code"
"""What binary files begin with."""


class KenlmModel:
    """A model of the library as a `lm.LanguageModel`; a hypothesis's state is the library's.

    A token that the file does not have is as likely as its `<unk>`; the library takes 10**-100 where there is none.
    """

    def __init__(self, model: Any, words: list[str]) -> None:
        """Take a `kenlm.Model` and the recogniser's tokens in the order of their ids."""
        self._model, self._words = model, words
        self.vocab_size = len(words)
        self._row = lru_cache(maxsize=max(64, CACHED_VALUES // len(words)))(self._computed)

    def start(self, beam: int) -> tuple[Any, ...]:
        """Nothing said yet."""
        return (_new_state(),) * beam

    def predict(self, state: tuple[Any, ...], tokens: I64) -> tuple[F32, tuple[Any, ...]]:
        """[B, V] after tokens [B]."""
        after = tuple(self._after(own, token) for own, token in zip(state, tokens.tolist(), strict=True))
        return np.stack([self._row(own) for own in after]), after

    def select(self, state: tuple[Any, ...], parents: I64) -> tuple[Any, ...]:
        """States of the parents."""
        return tuple(state[parent] for parent in parents.tolist())

    def _after(self, state: Any, token: int) -> Any:
        after = _new_state()
        if token == SOS:
            self._model.BeginSentenceWrite(after)
        else:
            self._model.BaseScore(state, self._words[token], after)
        return after

    def _computed(self, state: Any) -> F32:
        """[V] natural log-probabilities."""
        scratch, score = _new_state(), self._model.BaseScore
        row = np.array([score(state, word, scratch) for word in self._words], np.float32) * np.float32(LN_10)
        row.setflags(write=False)
        return row


def is_kenlm(path: Path) -> bool:
    """Whether a file is one of KenLM's binary files."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_kenlm(path: Path, ids: Mapping[str, int]) -> KenlmModel:
    """The model in a file that KenLM reads.

    Args:
        path: the file. The library trusts what stands in it: a binary file that somebody has tampered with can crash.
        ids: the recogniser's tokens and their ids from 0.

    Raises MissingExtraError without the library, ModelError for a damaged file or one over other words.
    """
    try:
        import kenlm
    except ImportError as error:
        raise MissingExtraError(
            f"{path} is a binary file of KenLM: pip install 'uniasr[kenlm]' (which needs a C++ compiler), or give the "
            ".arpa file that it was made from"
        ) from error
    config = kenlm.Config()
    config.show_progress, config.arpa_complain = False, kenlm.ARPALoadComplain.NONE
    try:
        model = kenlm.Model(str(path), config)
    except (OSError, RuntimeError) as error:
        raise ModelError(f"KenLM cannot read {path}: {str(error).splitlines()[0]}") from error
    if not any(word in model for word, i in ids.items() if i > EOS):
        raise ModelError(f"{path} shares no word with the recogniser; its words must be tokens, separated by blanks")
    return KenlmModel(model, sorted(ids, key=ids.__getitem__))


def _new_state() -> Any:
    import kenlm

    return kenlm.State()
