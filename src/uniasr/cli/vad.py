"""Recordings in, stretches of speech out."""

from __future__ import annotations

from dataclasses import dataclass

import click

from uniasr.audio.inputs import expand, several
from uniasr.audio.load import blocks
from uniasr.cli.progress import watched
from uniasr.cli.sinks import put
from uniasr.errors import UniasrError
from uniasr.recognizers import load_vad


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    inputs: tuple[str, ...]
    model: str | None
    device: str
    backend: str
    threads: int | None
    max_end_silence: int | None
    profile: str
    channel: int | None


def run(request: Request) -> bool:
    """Print the segments of all inputs; False when one of them failed. Wrong options raise before any work."""
    named = expand(request.inputs)
    vad = load_vad(request.model, request.device, request.backend, request.threads)
    vad.stream(max_end_silence_ms=request.max_end_silence, profile=request.profile)  # only the options are looked at
    keyed = several(request.inputs, named)
    all_done = True
    with watched(named, "listening") as (sources, bar):
        for item, source in zip(named, sources, strict=True):
            prefix = f"{item.key}\t" if keyed else ""
            try:
                parts = blocks(source, channel=request.channel)
                for start, end in vad.iterate(parts, request.max_end_silence, profile=request.profile):
                    with bar.hidden():
                        put(f"{prefix}{start}\t{end}\n")
            except UniasrError as error:
                all_done = False
                with bar.hidden():
                    click.echo(f"{item.key}: {' '.join(str(error).split())}", err=True)
            bar.done()
    return all_done
