"""Recordings in, transcripts out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from uniasr.audio.inputs import NamedInput, expand
from uniasr.cli.progress import watched
from uniasr.cli.sinks import DirectorySink, LayoutSink, Sink, StdoutSink
from uniasr.errors import OptionError, UniasrError
from uniasr.formats import FORMATS
from uniasr.recognizers import load_model
from uniasr.recognizers.uniasr import Uniasr


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    inputs: tuple[str, ...]
    model: str | None
    device: str
    backend: str
    threads: int | None
    mode: str
    latency: str | None
    beam_size: int
    search: str
    hotwords: str | None
    lm: str | None
    lm_weight: float
    nbest: int
    channel: int | None
    fmt: str | None
    output_dir: str | None

    @property
    def call(self) -> dict[str, Any]:
        """The arguments of `Uniasr.attempt`."""
        names = ("mode", "latency", "beam_size", "search", "hotwords", "lm", "lm_weight", "nbest", "channel")
        return {name: getattr(self, name) for name in names}


def run(request: Request) -> bool:
    """Recognise all inputs; False when one of them failed. Wrong options raise before any work."""
    if request.fmt is not None and request.fmt not in FORMATS:
        raise OptionError(f"format {request.fmt!r} is unknown; choose one of {', '.join(FORMATS)}")
    named = expand(request.inputs)
    model = load_model(request.model, request.device, request.backend, request.threads)
    list(model.attempt([], **request.call))  # no audio, only the options are looked at
    all_done = True
    with _sink(request, named, model) as sink, watched(named) as (sources, bar):
        for item, outcome in zip(named, model.attempt(sources, **request.call), strict=True):
            with bar.hidden():
                try:
                    if isinstance(outcome, UniasrError):
                        raise outcome
                    sink.write(item.key, outcome)
                except UniasrError as error:
                    all_done = False
                    click.echo(f"{item.key}: {' '.join(str(error).split())}", err=True)
            bar.done()
    return all_done


def _sink(request: Request, named: Sequence[NamedInput], model: Uniasr) -> Sink:
    if request.output_dir is None:
        return StdoutSink(request.fmt or "txt", several=_several(request.inputs, named))
    directory = Path(request.output_dir)
    if request.fmt is None and len(request.inputs) == 1 and request.inputs[0].endswith(".scp"):
        return LayoutSink(directory, model.vocabulary.tokens, nbest=request.nbest)
    return DirectorySink(directory, request.fmt or "txt")


def _several(words: Sequence[str], named: Sequence[NamedInput]) -> bool:
    """Whether results need keys: what a directory, pattern or list gives must not depend on how much is in it."""
    return len(words) > 1 or (words[0] != "-" and words[0] != named[0].source)
