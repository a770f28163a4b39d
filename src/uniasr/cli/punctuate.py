"""Texts without marks in, texts with marks out."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from uniasr.cli.sinks import put
from uniasr.errors import OptionError
from uniasr.recognizers import load_punctuator
from uniasr.recognizers.punctuation.model import Punctuator

TOGETHER = 64
"""Lines that are worked on at once when they do not come one by one from a person."""
LONGEST = 2**20
"""Characters of a line; a longer one is taken in parts."""


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
    lines = iter(request.texts) if request.texts else _standard_input()
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


def _standard_input() -> Iterator[str]:
    """Lines without their ends; bytes that are no UTF-8 become question marks."""
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
    while line := lines.readline(LONGEST):
        yield line.rstrip("\n")
