"""A transcript as one string in the format of a file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from uniasr.errors import OptionError
from uniasr.formats.lines import one_line
from uniasr.formats.rules import CueRules
from uniasr.formats.subtitles import SUBTITLES, SubtitleWriter
from uniasr.formats.textgrid import textgrid
from uniasr.types import Transcript


def render(transcript: Transcript, fmt: str, rules: CueRules | None = None) -> str:
    """The transcript in one of FORMATS; it ends with a line end unless it is empty.

    `rules` are the limits of subtitle cues; the other formats have none. Raises OptionError for an unknown format and
    for what is no transcript or no rules.
    """
    if not isinstance(transcript, Transcript):
        raise OptionError(f"transcript is a {type(transcript).__name__}; give what transcribe returns")
    if not isinstance(fmt, str) or fmt not in FORMATS:
        raise OptionError(f"format {fmt!r:.80} is unknown; choose one of {', '.join(FORMATS)}")
    return _subtitles(transcript, fmt, rules) if fmt in SUBTITLES else _DOCUMENTS[fmt](transcript)


def _subtitles(transcript: Transcript, fmt: str, rules: CueRules | None) -> str:
    writer = SubtitleWriter(fmt, rules)
    pieces = [writer.add(segment) for segment in transcript.segments]
    return "".join([*pieces, writer.finish(transcript.duration_ms)])


def _txt(transcript: Transcript) -> str:
    """One line per segment that has text."""
    lines = [one_line(segment.text) for segment in transcript.segments] or [one_line(transcript.text)]
    return "".join(f"{line}\n" for line in lines if line) or "\n"


def _json(transcript: Transcript) -> str:
    """The fields of Transcript, as docs/transcript.schema.json describes them."""
    return json.dumps(_finite(transcript.to_dict()), ensure_ascii=False, indent=2) + "\n"


def _tsv(transcript: Transcript) -> str:
    r"""One row per segment; in the text a backslash, tab, line feed and return are `\\`, `\t`, `\n` and `\r`."""
    rows = ["start_ms\tend_ms\ttext\n"]
    for segment in transcript.segments:
        text = re.sub(r"[\\\t\n\r]", lambda match: _TSV_ESCAPES[match[0]], segment.text)
        rows.append(f"{segment.start_ms}\t{segment.end_ms}\t{text}\n")
    return "".join(rows)


_TSV_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}

_DOCUMENTS: dict[str, Callable[[Transcript], str]] = {"txt": _txt, "json": _json, "tsv": _tsv, "textgrid": textgrid}

FORMATS = ("txt", "json", "srt", "vtt", "ass", "tsv", "textgrid")


def _finite(value: Any) -> Any:
    """JSON knows no infinity; a number that is not finite becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
