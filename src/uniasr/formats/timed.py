"""The visible characters of a segment with their times, whatever was done to its text after recognition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from uniasr.formats.lines import columns, joins_previous, one_line
from uniasr.text.join import pieces
from uniasr.text.kana import katakana
from uniasr.types import Segment

_MAX_ALIGNED = 4000
"""Characters of a rewritten segment that are aligned; the time that takes grows with their square."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """A character with the marks that belong to it."""

    text: str
    start_ms: int
    end_ms: int
    blank: bool
    """Whether a blank follows."""

    @property
    def width(self) -> int:
        """Columns without the blank."""
        return columns(self.text)


def glyphs(segment: Segment) -> list[Glyph]:
    """All visible characters of `segment.text` in order, with ascending times.

    A character that tokens spell takes its share of its token's time. Where the text was rewritten (numbers, kanji) the
    new characters share the time of the tokens they replace, and what was only put in, like punctuation, takes no time.
    A segment without tokens shares out its own time.
    """
    text = one_line(segment.text)
    visible = [char for char in text if char != " "]
    result: list[Glyph] = []
    reached, previous, place = 0, "", 0
    times = _times(visible, segment)
    for char in text:
        if char == " ":
            last = result[-1]
            result[-1] = Glyph(last.text, last.start_ms, last.end_ms, True)
            previous = ""
            continue
        start = max(reached, times[place][0])
        reached = max(start, times[place][1])
        if previous and result and joins_previous(previous, char):
            result[-1] = Glyph(result[-1].text + char, result[-1].start_ms, reached, False)
        else:
            result.append(Glyph(char, start, reached, False))
        previous, place = char, place + 1
    return result


def _times(visible: Sequence[str], segment: Segment) -> list[tuple[int, int]]:
    """Start and end of each character."""
    spelled, times = _spelled(segment)
    if not spelled:
        return _shares(segment.start_ms, segment.end_ms, len(visible))
    wanted, given = list(map(_sound, visible)), list(map(_sound, spelled))
    if wanted == given:
        return times
    if max(len(wanted), len(given)) > _MAX_ALIGNED:
        return _shares(times[0][0], times[-1][1], len(visible))
    result: list[tuple[int, int]] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, given, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            result += times[i1:i2]
        elif i1 < i2:
            result += _shares(times[i1][0], times[i2 - 1][1], j2 - j1)
        else:
            at = times[i1 - 1][1] if i1 else times[0][0]
            result += [(at, at)] * (j2 - j1)
    return result


def _sound(char: str) -> str:
    """What stands for a character when texts are compared: hiragana as katakana, no capitals."""
    return katakana(char).casefold()


def _spelled(segment: Segment) -> tuple[list[str], list[tuple[int, int]]]:
    """The visible characters that the tokens spell, and their times."""
    chars: list[str] = []
    times: list[tuple[int, int]] = []
    for token, piece in zip(segment.tokens, pieces([token.text for token in segment.tokens]), strict=True):
        own = [char for char in one_line(piece) if char != " "]
        chars += own
        times += _shares(token.start_ms, token.end_ms, len(own))
    return chars, times


def _shares(start: int, end: int, count: int) -> list[tuple[int, int]]:
    """A span of time cut into `count` pieces as equal as whole milliseconds allow."""
    span = max(0, end - start)
    return [(start + span * i // count, start + span * (i + 1) // count) for i in range(count)]
