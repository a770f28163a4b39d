"""Praat's TextGrid: intervals of segments and of tokens, to look at beside the waveform.

Source: the Praat manual, "TextGrid file formats" (long text form).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from uniasr.formats.lines import one_line
from uniasr.text.join import pieces
from uniasr.types import Transcript

_Interval: TypeAlias = tuple[int, int, str]
"""Start and end in milliseconds, text."""


def textgrid(transcript: Transcript) -> str:
    """The file, with the tiers `segments` and `tokens`; both cover the whole audio, empty where nobody speaks.

    Praat knows no interval without length, so a token without length (its time was not known) adds its text to the
    token before it, or to the one after it when it is the first.
    """
    segments = [(segment.start_ms, segment.end_ms, one_line(segment.text)) for segment in transcript.segments]
    tokens = [
        (token.start_ms, token.end_ms, one_line(piece))
        for segment in transcript.segments
        for token, piece in zip(segment.tokens, pieces([token.text for token in segment.tokens]), strict=True)
    ]
    end_ms = max(1, transcript.duration_ms, *(end for _, end, _ in [*segments, *tokens]), 0)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_seconds(end_ms)}",
        "tiers? <exists>",
        "size = 2",
        "item []:",
        *_tier(1, "segments", _cover(segments, end_ms), end_ms),
        *_tier(2, "tokens", _cover(tokens, end_ms), end_ms),
    ]
    return "\n".join(lines) + "\n"


def _tier(number: int, name: str, intervals: Sequence[_Interval], end_ms: int) -> Iterator[str]:
    yield f"    item [{number}]:"
    yield '        class = "IntervalTier"'
    yield f'        name = "{name}"'
    yield "        xmin = 0"
    yield f"        xmax = {_seconds(end_ms)}"
    yield f"        intervals: size = {len(intervals)}"
    for place, (start, end, text) in enumerate(intervals, start=1):
        quoted = text.replace('"', '""')
        yield f"        intervals [{place}]:"
        yield f"            xmin = {_seconds(start)}"
        yield f"            xmax = {_seconds(end)}"
        yield f'            text = "{quoted}"'


def _cover(intervals: Iterable[_Interval], end_ms: int) -> list[_Interval]:
    """Intervals with text, and empty ones between them, that cover 0 to `end_ms` without overlap."""
    tier: list[_Interval] = []
    reached, waiting = 0, ""
    for start, end, text in intervals:
        start = max(start, reached)
        if not text:
            continue
        if start < end:
            if reached < start:
                tier.append((reached, start, ""))
            tier.append((start, end, waiting + text))
            reached, waiting = end, ""
        elif tier:
            tier[-1] = (*tier[-1][:2], tier[-1][2] + text)
        else:
            waiting += text
    if reached < end_ms:
        tier.append((reached, end_ms, waiting))
    return tier


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"
