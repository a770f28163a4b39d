"""From hotwords as users give them to the scorer of a search, for any recogniser with a vocabulary."""

from __future__ import annotations

from functools import lru_cache

from uniasr.decoding.hotwords import HotwordScorer, Spelling
from uniasr.errors import OptionError
from uniasr.text.hotwords import Hotword, Hotwords, read_hotwords
from uniasr.text.readings import has_dictionary
from uniasr.text.spelling import Speller
from uniasr.text.vocabulary import Vocabulary

MOST_TOKENS = 2_000_000
"""Of all spellings together; the automaton has a node for each."""


def hotword_scorer(hotwords: Hotwords | None, vocabulary: Vocabulary) -> HotwordScorer | None:
    """The scorer of a call; None when there is nothing to listen for.

    Raises OptionError for words that cannot be read (`read_hotwords`) or written with the model's tokens.
    """
    words = read_hotwords(hotwords) if hotwords is not None else ()
    return _built(words, vocabulary) if words else None


@lru_cache(maxsize=8)
def _built(words: tuple[Hotword, ...], vocabulary: Vocabulary) -> HotwordScorer:
    """Kept for the next call: a list of a thousand words takes longer to spell than a second of speech to recognise."""
    speller = Speller(vocabulary)
    spelled = [speller.spellings(word) for word in words]
    if lost := [word for word, found in zip(words, spelled, strict=True) if not found]:
        raise OptionError(_complaint(lost))
    spellings = [
        Spelling(ids, number, word.weight)
        for number, (word, found) in enumerate(zip(words, spelled, strict=True))
        for ids in found
    ]
    if (total := sum(len(spelling.ids) for spelling in spellings)) > MOST_TOKENS:
        raise OptionError(f"the hotwords have {total} tokens in all; {MOST_TOKENS} are the most")
    return HotwordScorer(tuple(word.word for word in words), spellings, len(vocabulary))


def _complaint(lost: list[Hotword]) -> str:
    names = ", ".join(word.word for word in lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
    if all(word.reading is None for word in lost):
        cause = ", and the dictionary does not read them" if has_dictionary() else ""
        install = "" if cause else "install a dictionary with pip install 'uniasr[ja]', "
        return (
            f"the model cannot write the hotwords {names} with its tokens{cause}; give their readings in kana "
            f"('寒河江 さがえ', one word and its reading a line), {install}or leave them out"
        )
    return f"the model cannot write the hotwords {names} with its tokens, nor their readings; leave them out"
