"""The parts of a pipeline: what each must be able to do, and the way from a name to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from uniasr.audio.load import Source
from uniasr.errors import OptionError, UniasrError
from uniasr.recognizers import load_model, load_punctuator, load_vad
from uniasr.recognizers.punctuation import Punctuator
from uniasr.recognizers.vad import Vad
from uniasr.text import itn as convert
from uniasr.text.normalization import LANGUAGES, Normalized, language_code
from uniasr.text.normalization.differences import differences
from uniasr.text.normalization.records import normalized
from uniasr.types import Event, Transcript

ItnFunction: TypeAlias = Callable[[str], Normalized | str]
"""Inverse text normalisation as a user may give it, of whole texts: without spans, the words that differ are these."""


class Convert(Protocol):
    """Inverse text normalisation."""

    def __call__(self, text: str, phrases: Sequence[str] = ()) -> Normalized:
        """One text in digits, except phrases in it, with the spans that its parts come from."""


class LiveRecognition(Protocol):
    """A stream of a recogniser."""

    def accept(self, packet: Any) -> list[Event]:
        """Events that become certain with these mono samples."""

    def finish(self) -> list[Event]:
        """The remaining events."""


class Recogniser(Protocol):
    """What recognises; `uniasr.Uniasr` is one. Times count from the start of what it is given."""

    def attempt(
        self,
        audios: Iterable[Source],
        mode: str = ...,
        latency: int | str | None = ...,
        *,
        sample_rate: int | None = ...,
        channel: int | None = ...,
        **options: Any,
    ) -> Iterator[Transcript | UniasrError]:
        """Transcripts in order; each is the same as alone."""

    def stream(
        self,
        mode: str = ...,
        latency: int | str | None = ...,
        sample_rate: int = ...,
        channels: int = ...,
        **options: Any,
    ) -> LiveRecognition:
        """Open a stream."""


def owed(recogniser: Recogniser, audios: Iterable[Source], **call: Any) -> Iterator[Transcript | UniasrError]:
    """What a recogniser makes of each audio. Raises OptionError where it gives fewer or more results than that."""
    source, taken, given = iter(audios), 0, 0

    def counted() -> Iterator[Source]:
        nonlocal taken
        for audio in source:
            taken += 1
            yield audio

    for outcome in recogniser.attempt(counted(), **call):
        given += 1
        if given > taken:
            break
        yield outcome
    taken += sum(1 for _ in source)
    if given != taken:
        raise OptionError(f"asr gave {given} results for {taken} inputs; attempt() owes one for each, in order")


Name: TypeAlias = str | PathLike[str]


def recogniser(given: Recogniser | Name | None, *runtime: Any) -> Recogniser:
    """The recogniser that is meant; None means the packaged model. Raises OptionError for what cannot recognise."""
    if given is None or isinstance(given, str | PathLike):
        return load_model(_path(given), *runtime)
    known = any(callable(getattr(given, name, None)) for name in ("attempt", "stream"))  # files or streams may do
    if not known or isinstance(given, type | Vad | Punctuator):
        raise OptionError(f"asr is {_kind(given)}; give what load_model returns, a name, or None")
    return given


def detector(given: Vad | Name | None, *runtime: Any) -> Vad | None:
    """The voice activity detector that is meant; None means none. Raises OptionError for anything else."""
    if isinstance(given, str | PathLike):
        return load_vad(_path(given), *runtime)
    if not (given is None or isinstance(given, Vad)):
        raise OptionError(f"vad is {_kind(given)}; give what load_vad returns, a name, or None")
    return given


def punctuator(given: Punctuator | Name | None, *runtime: Any) -> Punctuator | None:
    """The punctuation model that is meant; None means none. Raises OptionError for anything else."""
    if isinstance(given, str | PathLike):
        return load_punctuator(_path(given), *runtime)
    if not (given is None or isinstance(given, Punctuator)):
        raise OptionError(f"punctuation is {_kind(given)}; give what load_punctuator returns, a name, or None")
    return given


def converter(given: ItnFunction | str | None) -> Convert | None:
    """The text normalisation that is meant: None, the code of a language, or a function."""
    if given is None:
        return None
    if callable(given):
        return _with_spans(given)
    if not isinstance(given, str) or language_code(given) not in LANGUAGES["itn"]:
        raise OptionError(f"itn is {given!r:.80}; choose one of {', '.join(LANGUAGES['itn'])}, a function, or None")
    language = given
    convert("", language)  # a missing package is told now and not behind the recognition
    return lambda text, phrases=(): convert(text, language, spans=True, whitelist=phrases)


def _with_spans(function: ItnFunction) -> Convert:
    def convert(text: str, phrases: Sequence[str] = ()) -> Normalized:
        result = function(text)
        if isinstance(result, str):
            return normalized(text, differences(text, result))
        if not isinstance(result, Normalized):
            raise OptionError(
                f"the function given as itn returned a {type(result).__name__}; it must return a string or a Normalized"
            )
        if not _tiles(result, text):
            raise OptionError("the function given as itn returned spans that do not make up its source and its text")
        return result

    return convert


def _tiles(found: Normalized, source: str) -> bool:
    """Whether the spans of a result hold its source and its text whole, in order."""
    at = made = 0
    for span in found.spans:
        if (span.source_start, span.start) != (at, made) or span.source_end < at or span.end < made:
            return False
        at, made = span.source_end, span.end
    return (found.source, at, made) == (source, len(source), len(found.text))


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"


def _path(given: Name | None) -> str | Path | None:
    """A name stays a name: it may be that of a packaged model."""
    return given if given is None or isinstance(given, str) else Path(given)
