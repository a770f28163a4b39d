"""Kana of a recogniser as written Japanese, and the sense that they make: for any recogniser whose tokens are kana."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from uniasr.checkpoints.stamps import Stamp, stamp_of
from uniasr.decoding.hypotheses import each_once
from uniasr.decoding.rescoring import Rescoring
from uniasr.errors import OptionError
from uniasr.hub.resolve import named_part, resolve, resolve_part
from uniasr.text.hotwords import Hotwords, is_kana
from uniasr.text.join import join_tokens
from uniasr.text.kana import katakana
from uniasr.text.kana_kanji import Converter
from uniasr.text.kana_kanji.listed import ListedWords, word_list
from uniasr.text.normalization import align_tokens
from uniasr.text.spelling import pronunciations
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import F64, I64, DecodingOptions, HotwordMatch, Segment, Token

NONE = "none"
_KANA = re.compile("[ァ-ヴー]+")
_PARTICLES = str.maketrans("ハヘヲ", "ワエオ")
"""How particles sound; what else is written so is taken for one on both sides of a comparison."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes the results of a recogniser of kana. Pure: the same tokens always give the same."""

    converter: Converter
    words: ListedWords

    def tokens(self, tokens: Sequence[Token]) -> tuple[Token, ...]:
        """Written words with the times of their kana, and these as reading; as certain as the kana and the choice."""
        result = self.converter.convert(_text(tokens), self.words, spans=True)
        return align_tokens(tokens, result, readings=True)

    def segment(self, segment: Segment) -> Segment:
        """A segment with its tokens, text and the texts of its hypotheses written; their ids stay those of the kana.

        Hypotheses that are written alike are one, with the score of the best. Hotwords that were heard but not written
        (another word of their sound made more sense) are left out.
        """
        tokens = self.tokens(segment.tokens)
        text, nbest = _text(tokens), segment.nbest
        if nbest:  # the first is what the tokens say
            others = (replace(one, text=self.converter.convert(one.text, self.words)) for one in nbest[1:])
            nbest = tuple(each_once([replace(nbest[0], text=text), *others], attrgetter("text")))
        hotwords = tuple(match for match in segment.hotwords if _written_in(match, tokens))
        return replace(segment, tokens=tokens, text=text, nbest=nbest, hotwords=hotwords)

    def partial(self, tokens: Sequence[Token], stable: int) -> tuple[tuple[Token, ...], int]:
        """The tokens written, and how many of them never change again where the first `stable` kana tokens do not."""
        kana, known = _text(tokens), _text(tokens[:stable])
        result, left = self.converter.running(kana, len(known), self.words)
        written = align_tokens(tokens, result, readings=True)
        for count, token in enumerate(written):
            left -= len(token.reading or token.text)
            if left < 0:
                return written, count
        return written, len(written)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a call does with kana; `converter` is None for a recogniser that needs none."""

    converter: Converter | None
    written: bool
    weight: float
    vocabulary: Vocabulary

    def writing(self, hotwords: Hotwords | None) -> Writing | None:
        """What writes the results; None where they stay kana."""
        return Writing(self.converter, word_list(hotwords)) if self.converter is not None and self.written else None

    def rescoring(self, hotwords: Hotwords | None) -> list[Rescoring]:
        """The converter as a judge of the hypotheses of a segment, where the call wants it."""
        converter, tokens = self.converter, self.vocabulary.tokens
        if converter is None or not self.weight:
            return []
        words = word_list(hotwords)

        def judge(hypotheses: Sequence[I64]) -> F64:
            texts = [join_tokens([tokens[i] for i in ids]) for ids in hypotheses]
            return np.array(converter.log_probabilities(texts, words), np.float64)

        return [Rescoring(judge, self.weight)]


def conversion(
    options: DecodingOptions, vocabulary: Vocabulary, card: Mapping[str, Any], model: Path | None
) -> Conversion:
    """What the options and the yaml in the directory `model` (its entries `output` and `parts: converter`) ask for.

    A converter that only the yaml names is passed over where the tokens are no kana, as after training with others.
    Raises ModelNotFoundError and ModelError for the converter, OptionError for options that do not fit the recogniser.
    """
    named = named_part(card, "converter")
    kana = {"ア", "ン"} <= set(vocabulary.tokens)
    if options.converter not in (None, NONE) and not kana:
        raise OptionError(f"{options.converter!s:.80} converts kana, which this recogniser does not write")
    converter = _loaded(options.converter, named, model) if kana else None
    if options.output == "written" and converter is None:
        raise OptionError(
            "written output needs a converter, and there is none; give converter='ja-written' (--converter ja-written)"
        )
    written = (options.output or card.get("output")) == "written"
    return Conversion(converter, written, options.converter_weight, vocabulary)


def _loaded(asked: str | PathLike[str] | None, named: object, model: Path | None) -> Converter | None:
    """The converter that a call asks for, else the one that its model names."""
    if (named if asked is None else asked) in (None, NONE):
        return None
    if not (asked is None or isinstance(asked, str | PathLike)):
        raise OptionError(f"converter is {asked!r:.60}; give a directory or a name")
    directory = (resolve_part(named, model) if asked is None else resolve(asked)).resolve()
    return _opened(directory, stamp_of(directory))


@lru_cache(maxsize=4)
def _opened(directory: Path, _stamp: Stamp) -> Converter:
    """Kept for the next call, until its files change."""
    from uniasr.recognizers import load_converter

    return load_converter(directory)


def _written_in(match: HotwordMatch, tokens: Sequence[Token]) -> bool:
    """Whether the tokens that overlap a hotword's place hold it, or for a word given in kana, kana of its sound."""
    near = [token for token in tokens if token.start_ms < match.end_ms and token.end_ms > match.start_ms]
    word = _plain(match.word)
    if word in _plain(_text(near)):
        return True
    # its sound inside a word in kanji (カイ in 警戒) is not the word
    parts = (token.reading or token.text if _KANA.fullmatch(_plain(token.text)) else " " for token in near)
    heard = _plain("".join(parts)).translate(_PARTICLES)
    return is_kana(word) and any(sound in heard for sound in pronunciations(word.translate(_PARTICLES)))


def _plain(text: str) -> str:
    """One form for half-width, decomposed and other kana."""
    return katakana(unicodedata.normalize("NFKC", text))


def _text(tokens: Sequence[Token]) -> str:
    return join_tokens([token.text for token in tokens])
