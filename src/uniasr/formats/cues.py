"""Subtitle cues from the times of characters: short enough to read, broken at good places, never overlapping.

`lay_out` is a step function: a segment in, the cues that became certain out. Memory does not grow with the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from uniasr.formats.lines import columns
from uniasr.formats.partition import partition
from uniasr.formats.rules import CHAIN_MS, STEP_MS, CueRules
from uniasr.formats.timed import glyphs
from uniasr.types import Segment, Transcript


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines to show from start to end, in milliseconds from the start of the audio; numbered from 1."""

    number: int
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CueCarry:
    """What the layout keeps between two segments."""

    held: Cue | None = None
    """The last cue, with the end of its speech; how long it stays depends on what follows."""
    end_ms: int = 0
    """End of the segments so far."""


def make_cues(transcript: Transcript, rules: CueRules | None = None) -> list[Cue]:
    """The cues of a transcript in order of time; each ends at or before the start of the next.

    All visible characters stand in them once and in order. `CueRules` has the limits and their exceptions. Cues lie
    inside the audio as long as it has STEP_MS for each.
    """
    rules = CueRules.given(rules)
    carry, cues = CueCarry(), list[Cue]()
    for segment in transcript.segments:
        carry, certain = lay_out(carry, segment, rules)
        cues += certain
    return [*cues, *finish(carry, rules, transcript.duration_ms)]


def lay_out(carry: CueCarry, segment: Segment, rules: CueRules) -> tuple[CueCarry, list[Cue]]:
    """The carry after a segment, and the cues that nothing later can change: all but the segment's last one."""
    line = glyphs(segment)
    end_ms = max([carry.end_ms, segment.end_ms, *(glyph.end_ms for glyph in line[-1:])])
    if not line:
        return replace(carry, end_ms=end_ms), []
    parts = partition(line, end_ms, rules)
    held = [] if carry.held is None else [carry.held]
    starts = _in_order([line[part.i].start_ms for part in parts], held[0].start_ms + STEP_MS if held else 0, end_ms)
    number = held[0].number if held else 0
    drafts = held + [
        Cue(number + n, start, max(start, line[part.j - 1].end_ms), part.lines(line))
        for n, (start, part) in enumerate(zip(starts, parts, strict=True), start=1)
    ]
    cues = [_settle(cue, following.start_ms, rules) for cue, following in pairwise(drafts)]
    return CueCarry(drafts[-1], end_ms), cues


def finish(carry: CueCarry, rules: CueRules, duration_ms: int | None = None) -> list[Cue]:
    """The cue that was held back, if any. `duration_ms` is the end of the audio, if it is known."""
    if carry.held is None:
        return []
    cue = carry.held
    limit = carry.end_ms if duration_ms is None else duration_ms
    end = min(cue.start_ms + _stay(cue, rules), limit)
    return [replace(cue, end_ms=max(end, cue.start_ms + STEP_MS))]


def _stay(cue: Cue, rules: CueRules) -> int:
    return rules.stay_ms(sum(map(columns, cue.lines)), cue.end_ms - cue.start_ms)


def _settle(cue: Cue, following_ms: int, rules: CueRules) -> Cue:
    """The cue with the time that it stays on the screen before one that starts at `following_ms`."""
    end = cue.start_ms + _stay(cue, rules)
    limit = max(following_ms - rules.gap_ms, min(following_ms, cue.start_ms + rules.min_ms))
    if end < limit < end + CHAIN_MS:
        end = min(limit, cue.start_ms + rules.max_ms)
    return replace(cue, end_ms=max(min(end, limit), cue.start_ms + STEP_MS))


def _in_order(wanted: Sequence[int], least: int, end_ms: int) -> list[int]:
    """Start times as near as possible to those wanted that leave STEP_MS to each cue between `least` and `end_ms`."""
    starts = list(wanted)
    for i in reversed(range(len(starts))):
        following = starts[i + 1] if i + 1 < len(starts) else end_ms
        starts[i] = min(starts[i], following - STEP_MS)
    for i in range(len(starts)):
        starts[i] = max(starts[i], least)
        least = starts[i] + STEP_MS
    return starts
