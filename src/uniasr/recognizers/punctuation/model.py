"""Punctuation as users meet it: texts, token lists and streams, all through `network.Labeller`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uniasr.configs.ct_transformer import FULL_STOPS, TEXT_STYLES, CtTransformerConfig
from uniasr.engines.base import Engine
from uniasr.errors import ModelError, OptionError
from uniasr.recognizers.punctuation.long_text import LongText
from uniasr.recognizers.punctuation.network import Labelled, Labeller, Text
from uniasr.recognizers.punctuation.own_marks import Apart, apart, brings_mark
from uniasr.recognizers.punctuation.render import (
    joined,
    marks_of,
    plain_marks,
    plain_text,
    published_end,
    published_text,
    with_end,
)
from uniasr.recognizers.punctuation.stream import EMPTY, Marked, StreamCarry, advance, closing_mark
from uniasr.recognizers.punctuation.tokens import attach, words_of
from uniasr.recognizers.punctuation.windows import Closed, Window
from uniasr.text.words import Splitter, WordList, split_words
from uniasr.types import Token


@dataclass(frozen=True, slots=True)
class Punctuated:
    """A text with marks, its words, and the label of each word (an index into the model's marks)."""

    text: str
    words: tuple[str, ...]
    labels: tuple[int, ...]


class Punctuator:
    """A CT-Transformer. Immutable and safe to use from many threads; the state of a stream belongs to the stream."""

    def __init__(
        self,
        engine: Engine,
        config: CtTransformerConfig,
        words: WordList,
        split: Splitter = split_words,
        directory: Path | None = None,
    ) -> None:
        self.engine, self.config, self.word_list, self.split, self.directory = engine, config, words, split, directory
        self._ends = _ends(config, words)

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that this model can put."""
        return tuple(mark for mark in marks_of(range(len(self.config.marks)), self.config) if mark)

    def punctuate(self, text: str, *, style: str | None = None, split_size: int | None = None) -> str:
        """The text with marks; it ends in a full stop if it has no mark there, and an empty text stays empty.

        Args:
            text: words in any script; blanks between words that are not Latin are dropped. Marks that it has stay, but
                in the published style, which takes them for words.
            style: "published" writes as the published system does (capitals, Latin marks, a blank before a Latin word
                at a window's start), "plain" leaves words as they are. None takes the model's own style.
            split_size: words by which windows grow; None for the model's own number.

        Raises OptionError for another style or size.
        """
        return self.label(text, style=style, split_size=split_size).text

    def punctuate_batch(
        self, texts: Sequence[str], *, style: str | None = None, split_size: int | None = None
    ) -> list[str]:
        """Several texts at once; each result is the same as alone. Arguments as in `punctuate`."""
        return [result.text for result in self.label_batch(texts, style=style, split_size=split_size)]

    def label(self, text: str, *, style: str | None = None, split_size: int | None = None) -> Punctuated:
        """The text with marks, and the words and labels that it is made of. Arguments as in `punctuate`."""
        return self.label_batch([text], style=style, split_size=split_size)[0]

    def label_batch(
        self, texts: Sequence[str], *, style: str | None = None, split_size: int | None = None
    ) -> list[Punctuated]:
        """`label` of several texts at once; each result is the same as alone."""
        if not isinstance(texts, Iterable) or isinstance(texts, str):
            raise OptionError(f"texts is {texts!r:.60}; give a list of strings")
        texts = list(texts)
        style = self.config.text_style if style is None else style
        if style not in TEXT_STYLES:
            raise OptionError(f"style is {style!r:.80}; choose one of {', '.join(TEXT_STYLES)}")
        for text in texts:
            _check_text(text)
        split = [self.apart(text, style) for text in texts]
        found = self._label([self._text(text.words) for text in split], split_size)
        return [self._written(text, labelled, style) for text, labelled in zip(split, found, strict=True)]

    def punctuate_tokens(self, tokens: Sequence[Token], *, closed: bool = True) -> list[Token]:
        """A recogniser's tokens with marks: one token for one token, in the same order.

        A mark is put at the end of the `text` of the token that it follows ("す" becomes "す。"); ids, times and
        confidences stay as they are. Words that run over several tokens (word pieces) are seen as one; a mark that
        would fall inside a token is left out.

        Args:
            tokens: in the order of speech.
            closed: whether the text ends here, so that a full stop must follow the last token. With False the last
                token gets no mark, for text that goes on.

        Raises OptionError for what is no list of tokens.
        """
        if not isinstance(tokens, Iterable):
            raise OptionError(f"tokens is {tokens!r:.60}; give a list of tokens")
        return self.punctuate_tokens_batch([list(tokens)], closed=closed)[0]

    def punctuate_tokens_batch(self, texts: Sequence[Sequence[Token]], *, closed: bool = True) -> list[list[Token]]:
        """`punctuate_tokens` of several texts at once; each result is the same as alone."""
        for tokens in texts:
            if not all(isinstance(token, Token) for token in tokens):
                raise OptionError(f"tokens is {tokens!r:.60}; give a list of tokens")
        split = [words_of(tokens, self.split) for tokens in texts]
        results = []
        found = self._label([self._text(words.words, ended=closed) for words in split])
        for tokens, words, labelled in zip(texts, split, found, strict=True):
            marks = plain_marks(words.words, with_end(labelled.labels, self.config), self.config)
            if marks and not closed:
                marks[-1] = ""
            results.append(attach(tokens, words, marks))
        return results

    def long_text(self) -> LongText:
        """Marks for a text of any length whose tokens come in groups, as `punctuate_tokens` of all of them gives."""
        return LongText(self.split, self._settled, self.config)

    def stream(self) -> PunctuationStream:
        """Punctuation of text that comes in pieces, such as the final results of a live recogniser."""
        return PunctuationStream(self)

    def advance(self, carry: StreamCarry, words: Sequence[str], *, last: bool = False) -> tuple[StreamCarry, Marked]:
        """One step of a stream: the new words with their marks; `last`: the text ends with them.

        Nothing happens without new words.
        """
        if not words:
            return carry, EMPTY
        (labelled,) = self._label([self._text(carry.followed_by(words), cached=len(carry.words), ended=last)])
        return advance(carry, words, labelled, self.config)

    def follow(
        self, carry: StreamCarry, tokens: Sequence[Token], *, ended: bool, last: bool = False
    ) -> tuple[StreamCarry, tuple[Token, ...]]:
        """Tokens that follow those of earlier calls, with marks as in `punctuate_tokens`, and the next carry.

        Args:
            carry: what the earlier calls left.
            tokens: in the order of speech.
            ended: the speaker has paused, so that the mark behind the last token is decided now, from what stands
                before it; without it that token gets none.
            last: the text ends here, so that a full stop follows the last token.
        """
        words = words_of(tokens, self.split)
        if not words.words:
            return carry, tuple(tokens)
        carry, piece = self.advance(carry, words.words, last=last)
        closing = closing_mark(carry, self.config) if last else carry.pending if ended else ""
        if closing in FULL_STOPS:
            carry = StreamCarry()
        return carry, tuple(attach(tokens, words, [*piece.marks[:-1], closing]))

    @property
    def _labeller(self) -> Labeller:
        return Labeller(self.engine, self.config, self._ends)

    def _text(self, words: Sequence[str], *, cached: int = 0, ended: bool = True) -> Text:
        return Text(np.array(self.word_list.ids_of(words), np.int64), cached, ended)

    def _settled(self, window: Window, words: Sequence[str]) -> Closed:
        """What a window with these words settles."""
        text = self._text(words)
        return self._labeller.windows([window], [text.ids], [text], self.config.split_size)[0]

    def _label(self, texts: Sequence[Text], split_size: int | None = None) -> list[Labelled]:
        size = self.config.split_size if split_size is None else split_size
        if not isinstance(size, int) or size < 1:
            raise OptionError(f"split_size is {split_size!r:.80}; give a whole number of at least 1")
        return self._labeller.texts(texts, size)

    def apart(self, text: str, style: str) -> Apart:
        """The words and the marks that a text has already; to the published system marks are words."""
        words = self.split(text)
        if style == "plain":
            return apart(words)
        return Apart("", tuple(words), ("",) * len(words), tuple(range(len(words))))

    def _written(self, spoken: Apart, labelled: Labelled, style: str) -> Punctuated:
        words, labels = spoken.words, with_end(labelled.labels, self.config)
        if style == "plain":
            text = plain_text(spoken, labels, self.config)
        elif not words:
            text = ""
        elif self.config.causal:
            _, piece = advance(StreamCarry(), words, labelled, self.config)
            text = piece.text + marks_of(labels[-1:], self.config)[0]
        else:
            open_text = published_text(words, labelled.labels, labelled.starts, self.config)
            text = published_end(open_text)
            labels = labels if text != open_text else list(labelled.labels)
        return Punctuated(text, words, tuple(labels))


def _ends(config: CtTransformerConfig, words: WordList) -> dict[int, int]:
    """The words that tell ends in a second look, by label; empty for a model that looks once."""
    if not config.second_look:
        return {}
    stops = {label: mark for label, mark in enumerate(config.marks) if mark in FULL_STOPS}
    if missing := [mark for mark in stops.values() if mark not in words.words]:
        raise ModelError(f"the word list lacks {missing[0]!r}, which second_look needs")
    return dict(zip(stops, words.ids_of(stops.values()), strict=True))


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise OptionError(f"a text is {text!r:.60}, which is {type(text).__name__}; give a string")


class PunctuationStream:
    """Text in pieces, each given back with marks at once.

    No mark is put at the end of a piece: whether one belongs there is decided with the next piece, which then begins
    with it, or by `finish`. So the pieces joined are the text. Pieces hold whole words: between Latin ones a blank is
    put. Of the past only the words since the last full stop are kept.
    """

    def __init__(self, model: Punctuator) -> None:
        self._model = model
        self.carry = StreamCarry()
        self._decided = False
        """The last word has its mark already."""

    def accept(self, text: str) -> str:
        """The next piece with its marks. Raises OptionError for what is no text."""
        _check_text(text)
        style = self._model.config.text_style
        spoken = self._model.apart(text, style)
        self.carry, piece = self._model.advance(self.carry, spoken.words)
        if style != "plain":
            return piece.text
        before = "" if spoken.lead or self._decided else piece.before
        if spoken.words:
            self._decided = brings_mark(spoken.words[-1], spoken.own[-1])
        elif spoken.lead:
            self._decided = True
        return before + joined(spoken, piece.marks, piece.blanks[0] if piece.blanks else "")

    def finish(self) -> str:
        """The full stop that ends the text, empty if there was none or it has one; the stream then begins anew."""
        mark = "" if self._decided else closing_mark(self.carry, self._model.config)
        self.carry, self._decided = StreamCarry(), False
        return mark
