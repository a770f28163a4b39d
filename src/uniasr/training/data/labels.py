"""Transcripts as token ids: by characters, kana or pieces of words, and what to do about unknown characters.

How a transcript is cut follows from the vocabulary, so that a model's tokens are used as they were trained:

- tokens like U+2581 + "the": every word begins with that mark, as in sentencepiece;
- U+2581 alone: it stands for the blank before a word of a script that has blanks;
- a token `<space>`: blanks between words are that token;
- only katakana: hiragana is read as katakana, punctuation and blanks are left out;
- otherwise characters, or the longest tokens that fit; pieces `x@@` go on inside a word.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from uniasr.errors import DataError, MissingExtraError, OptionError
from uniasr.text.join import PIECE_GOES_ON, SPACE, WORD_START, solid
from uniasr.text.kana import katakana
from uniasr.text.units import mora_tokens, token_index
from uniasr.text.vocabulary import Vocabulary

MARKS = ("<blank>", "<s>", "</s>")
BPE_FILE = "bpe.model"
KINDS = ("characters", "kana", "bpe")

Unknown: TypeAlias = Literal["extend", "drop"]
UNKNOWN: tuple[Unknown, ...] = ("extend", "drop")


@dataclass(slots=True)
class Cut:
    """A transcript in tokens, and its characters that no token stands for."""

    ids: list[int] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def punctuation_only(self) -> bool:
        """Whether the unknown characters are all signs that nobody speaks."""
        return all(unspoken(char) for char in self.unknown)


class Cutter:
    """Cuts transcripts for one vocabulary."""

    def __init__(self, vocabulary: Vocabulary, bpe: Path | None = None) -> None:
        self.vocabulary = vocabulary
        self._ids = token_index(vocabulary.tokens)
        self._longest = max(map(len, self._ids), default=1)
        self._bpe = None if bpe is None else _sentencepiece().SentencePieceProcessor(model_file=str(bpe))
        self._joined = any(token.startswith(WORD_START) and token != WORD_START for token in self._ids)
        self._has_pieces = any(token.endswith(PIECE_GOES_ON) for token in self._ids)
        self.kana = _of_kana(self._ids)

    def __call__(self, text: str) -> Cut:
        """Token ids of a transcript; unknown characters are left out of them and counted."""
        cut = Cut()
        if self._bpe is not None:
            self._by_bpe(text, cut)
            return cut
        words = to_katakana(text).split() if self.kana else text.split()
        for number, word in enumerate(words):
            spelled = self._spelled(word)
            if self._joined or (spelled and WORD_START in self._ids):
                self._word(WORD_START + word, cut)
                continue
            if number and SPACE in self.vocabulary:
                cut.ids.append(self.vocabulary.id_of(SPACE))
            elif number and spelled and self._spelled(words[number - 1]):
                cut.unknown[" "] += 1  # joined text would not show where one word ends
            self._word(word, cut)
        return cut

    def _word(self, word: str, cut: Cut) -> None:
        place = 0
        while place < len(word):
            token, size = self._at(word, place)
            if token is not None:
                cut.ids.append(token)
            elif not (self.kana and unspoken(word[place])):
                cut.unknown[word[place]] += 1
            place += size

    def _at(self, word: str, place: int) -> tuple[int | None, int]:
        """The longest token at a place, and the characters that it takes."""
        for size in range(min(self._longest, len(word) - place), 0, -1):
            text = word[place : place + size]
            goes_on = self._ids.get(text + PIECE_GOES_ON) if place + size < len(word) else None
            token = goes_on if goes_on is not None else self._ids.get(text)
            if token is not None:
                return token, size
        for variant in _variants(word[place]):
            if variant in self._ids:
                return self._ids[variant], 1
        return None, 1

    def _spelled(self, word: str) -> bool:
        """Whether a word of a script with blanks is written by its letters."""
        whole = len(word) > 1 and word in self._ids
        return not self._has_pieces and not whole and not any(map(solid, word))

    def _by_bpe(self, text: str, cut: Cut) -> None:
        for piece in self._bpe.encode(text, out_type=str):  # type: ignore[union-attr]
            if piece in self._ids:
                cut.ids.append(self._ids[piece])
            else:  # characters that the bpe model does not know come in one piece
                self._word(piece.replace(WORD_START, ""), cut)


def settled(vocabulary: Vocabulary, bpe: Path | None, texts: Iterable[str], unknown: Unknown | None) -> Cutter:
    """The cutter to train with: with "extend" the vocabulary has tokens for all characters of the texts."""
    cutter = Cutter(vocabulary, bpe)
    missing = {char for text in texts for char in cutter(text).unknown} if unknown == "extend" else set()
    return Cutter(extended(vocabulary, missing), bpe) if missing else cutter


def unspoken(char: str) -> bool:
    """Whether a character is punctuation, a symbol or a blank."""
    return unicodedata.category(char)[0] in "PSZ" and char != "ー"


def to_katakana(text: str) -> str:
    """Hiragana and half-width katakana as katakana; other characters stay."""
    return katakana(unicodedata.normalize("NFKC", text))


def _of_kana(tokens: Iterable[str]) -> bool:
    """Whether a vocabulary is of pronunciation katakana; single characters of other kinds may have been added to it."""
    tokens = list(tokens)
    morae = [token for token in tokens if len(token) > 1]
    kana = morae or tokens
    return bool(kana) and all(map(_katakana, kana)) and not any("ぁ" <= char <= "ゖ" for char in "".join(tokens))


def _katakana(token: str) -> bool:
    return all("ァ" <= char <= "ヺ" or char == "ー" for char in token)


def _variants(char: str) -> Iterator[str]:
    """Other forms of a character that mean the same sound."""
    plain = unicodedata.normalize("NFKC", char)
    yield from (plain, to_katakana(char), plain.lower(), plain.upper())


def extended(vocabulary: Vocabulary, unknown: Iterable[str]) -> Vocabulary:
    """The vocabulary with tokens for unknown characters before `<unk>`; a blank becomes U+2581."""
    new = sorted({WORD_START if char == " " else char for char in unknown} - set(vocabulary.tokens))
    return Vocabulary((*vocabulary.tokens[:-1], *new, vocabulary.tokens[-1]))


def build_vocabulary(kind: str, texts: Iterable[str], *, size: int = 1000, directory: Path | None = None) -> Vocabulary:
    """The vocabulary of a model that is trained from scratch.

    Args:
        kind: "characters" (blanks between words become the token U+2581), "kana" (morae, from kana transcripts)
            or "bpe" (needs the extra `bpe`).
        texts: the training transcripts.
        size: tokens of a bpe vocabulary.
        directory: where the bpe model is written (`bpe.model`).
    """
    if kind == "characters":
        texts = list(texts)
        chars = {char for text in texts for char in text}
        blanks = {WORD_START} if " " in chars else set()
        return Vocabulary((*MARKS, *sorted(chars - {" "} | blanks), "<unk>"))
    if kind == "kana":
        return Vocabulary(mora_tokens(to_katakana(text) for text in texts))
    if kind == "bpe":
        if directory is None:
            raise OptionError("a bpe vocabulary needs a directory for its model")
        return _train_bpe(list(texts), size, directory)
    raise OptionError(f"tokenizer is {kind!r:.80}; choose one of {', '.join(KINDS)}")


def _train_bpe(texts: list[str], size: int, directory: Path) -> Vocabulary:
    library = _sentencepiece()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / BPE_FILE
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        made = Path(scratch) / BPE_FILE
        try:
            library.SentencePieceTrainer.train(
                sentence_iterator=iter(texts),
                model_prefix=str(made.with_suffix("")),
                vocab_size=size,
                model_type="bpe",
                character_coverage=1.0,
                bos_id=-1,
                eos_id=-1,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise DataError(f"no bpe vocabulary of {size} tokens can be made of these transcripts: {error}") from error
        made.replace(path)  # every process of a run makes the same one, while others read it
    processor = library.SentencePieceProcessor(model_file=str(path))
    found = [processor.id_to_piece(i) for i in range(processor.get_piece_size()) if not processor.is_unknown(i)]
    return Vocabulary((*MARKS, *found, "<unk>"))


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingExtraError("a bpe vocabulary needs sentencepiece: pip install 'uniasr[bpe]'") from error
    return sentencepiece
