"""A transcript as one string in the format of a file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from uniasr.errors import OptionError
from uniasr.formats.cues import make_cues, one_line
from uniasr.types import Transcript


def render(transcript: Transcript, fmt: str) -> str:
    """The transcript in one of FORMATS; it ends with a line end. Raises OptionError for an unknown format."""
    try:
        renderer = FORMATS[fmt]
    except KeyError:
        raise OptionError(f"format {fmt!r} is unknown; choose one of {', '.join(FORMATS)}") from None
    return renderer(transcript)


def _txt(transcript: Transcript) -> str:
    """One line per segment that has text."""
    lines = [one_line(segment.text) for segment in transcript.segments] or [one_line(transcript.text)]
    return "".join(f"{line}\n" for line in lines if line) or "\n"


def _json(transcript: Transcript) -> str:
    return json.dumps(_finite(transcript.to_dict()), ensure_ascii=False, indent=2) + "\n"


def _srt(transcript: Transcript) -> str:
    """SubRip has no escapes; an arrow in the text would be taken for a time line by some players."""
    blocks = []
    for number, cue in enumerate(make_cues(transcript), start=1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        text = "\n".join(cue.lines).replace("-->", "->")
        blocks.append(f"{number}\n{times}\n{text}\n")
    return "\n".join(blocks)


def _vtt(transcript: Transcript) -> str:
    """WebVTT as the W3C describes it: `&`, `<` and `>` are escaped, so no arrow can appear in a text."""
    blocks = ["WEBVTT\n"]
    for cue in make_cues(transcript):
        text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{text}\n")
    return "\n".join(blocks)


def _tsv(transcript: Transcript) -> str:
    r"""One row per segment; in the text a backslash, tab, line feed and return are `\\`, `\t`, `\n` and `\r`."""
    rows = ["start_ms\tend_ms\ttext\n"]
    for segment in transcript.segments:
        text = re.sub(r"[\\\t\n\r]", lambda match: _TSV_ESCAPES[match[0]], segment.text)
        rows.append(f"{segment.start_ms}\t{segment.end_ms}\t{text}\n")
    return "".join(rows)


_TSV_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}

FORMATS: dict[str, Callable[[Transcript], str]] = {"txt": _txt, "json": _json, "srt": _srt, "vtt": _vtt, "tsv": _tsv}


def _clock(ms: int, mark: str) -> str:
    hours, rest = divmod(ms, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, rest = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{mark}{rest:03d}"


def _finite(value: Any) -> Any:
    """JSON knows no infinity; a number that is not finite becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
