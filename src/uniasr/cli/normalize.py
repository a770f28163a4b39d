"""Texts in, their written (ITN) or spoken (TN) forms out."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from uniasr.cli.sinks import put
from uniasr.cli.typed import typed_lines
from uniasr.text.normalization import Normalized, itn, read_whitelist, tn


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    texts: tuple[str, ...]
    language: str
    whitelist: str | None
    spans: bool


def run(direction: Literal["itn", "tn"], request: Request) -> None:
    """Print a line for each argument, or for each line of standard input as it comes."""
    whitelist = None if request.whitelist is None else read_whitelist(request.whitelist)
    convert = itn if direction == "itn" else tn
    convert("", request.language, whitelist=whitelist)  # a wrong language is told before the first line is awaited
    for text in request.texts or typed_lines():
        put(_line(convert(text, request.language, spans=True, whitelist=whitelist), spans=request.spans))


def _line(result: Normalized, *, spans: bool) -> str:
    if not spans:
        return f"{result.text}\n"
    plain = asdict(result)
    for span in plain["spans"]:
        del span["certainty"]  # 1 for all: rules choose nothing
    return json.dumps(plain, ensure_ascii=False) + "\n"
