"""Cutting Chinese text into words with a dictionary, for punctuation models that were trained on such words.

Needs the extra `zh` (jieba). Source: funasr 1.4.16 funasr/models/ct_transformer/utils.py.
"""

from __future__ import annotations

import logging
import re
from io import BytesIO
from itertools import groupby
from pathlib import Path

from uniasr.bounded import read_bounded
from uniasr.errors import MissingExtraError, ModelError

_ENGLISH = re.compile(r"[a-zA-Z']+")
_MAX_BYTES = 64 * 2**20


class DictionaryCutter:
    """Cuts text into words: what stands between blanks is joined and cut by jieba, but English words stay.

    Raises MissingExtraError without jieba, ModelError when the model's own dictionary cannot be read.
    """

    def __init__(self, dictionary: Path) -> None:
        try:
            import jieba
        except ImportError as error:
            raise MissingExtraError(
                f"{dictionary.parent} cuts text into words with jieba; install it with: pip install 'uniasr[zh]'"
            ) from error
        jieba.setLogLevel(logging.WARNING)  # it reports on its own start otherwise
        self._jieba = jieba.Tokenizer()
        try:
            self._jieba.load_userdict(BytesIO(read_bounded(dictionary, _MAX_BYTES)))
        except ModelError:
            raise
        except (ValueError, OSError) as error:
            raise ModelError(f"{dictionary} is no dictionary that jieba can read: {error}") from error

    def __call__(self, text: str) -> list[str]:
        """The words of a text; together they are the text without white space."""
        words: list[str] = []
        for english, group in groupby(text.split(), lambda piece: _ENGLISH.fullmatch(piece) is not None):
            pieces = list(group)
            words += pieces if english else self._jieba.cut("".join(pieces), HMM=False)
        return words
