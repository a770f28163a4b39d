"""Readings of words with kanji, from a dictionary that the extra `ja` installs (SudachiPy).

Right for most words and wrong for some of the names that hotwords are made of: a reading that the user gives comes
before it.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

DICTIONARIES = ("full", "core", "small")
"""Best first; whichever is installed."""
_one_at_a_time = threading.Lock()
"""SudachiPy refuses to tokenize in two threads at once."""


def reading_of(word: str) -> str | None:
    """The reading of a word in katakana: 寒河江 -> サガエ; None without the extra `ja`.

    What the dictionary has no reading for comes out as it is.
    """
    tokenizer = _tokenizer()
    if tokenizer is None:
        return None
    with _one_at_a_time:
        return "".join(part.reading_form() for part in tokenizer.tokenize(word))


def has_dictionary() -> bool:
    """Whether there is a dictionary to ask."""
    return _tokenizer() is not None


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    try:
        from sudachipy import Dictionary, SplitMode
    except ImportError:
        return None
    for name in DICTIONARIES:
        try:
            dictionary = Dictionary(dict=name)
        except Exception:  # it is not installed; what is raised then depends on the version
            continue
        # create() is the older name of tokenizer()
        return getattr(dictionary, "tokenizer", dictionary.create)(mode=SplitMode.C)
    return None
