"""Texts without marks in, texts with marks out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from uniasr.cli.sinks import put
from uniasr.cli.typed import typed_lines
from uniasr.errors import OptionError
from uniasr.recognizers import load_punctuator
from uniasr.recognizers.punctuation.model import Punctuator

TOGETHER = 64
"""Lines that are worked on at once when they do not come one by one from a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    texts: tuple[str, ...]
    model: str | None
    device: str
    backend: str
    threads: int | None
    style: str | None
    live: bool


def run(request: Request) -> None:
    """Punctuate the arguments or standard input; wrong options raise before anything is read."""
    punctuator = load_punctuator(request.model, request.device, request.backend, request.threads)
    punctuator.punctuate("", style=request.style)  # no text, only the option is looked at
    lines = iter(request.texts) if request.texts else typed_lines()
    if request.live:
        if request.style is not None:
            raise OptionError("--style does not go with --live: pieces of a text are written as they are")
        _live(punctuator, lines)
        return
    group: list[str] = []
    together = 1 if not request.texts and sys.stdin.isatty() else TOGETHER
    for line in lines:
        group.append(line)
        if len(group) == together:
            _put_all(punctuator, group, request.style)
            group = []
    _put_all(punctuator, group, request.style)


def _put_all(punctuator: Punctuator, texts: list[str], style: str | None) -> None:
    put("".join(f"{text}\n" for text in punctuator.punctuate_batch(texts, style=style)))


def _live(punctuator: Punctuator, lines: Iterator[str]) -> None:
    stream = punctuator.stream()
    for line in lines:
        put(f"{stream.accept(line)}\n")
    if end := stream.finish():
        put(f"{end}\n")
