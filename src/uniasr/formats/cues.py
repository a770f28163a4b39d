"""Subtitle cues from the times of tokens: short enough to read, never overlapping.

Limits after the Netflix Timed Text Style Guide (two lines, at most 7 s, at least 5/6 s) and the 42 columns that are
usual for Latin script, which are 21 full-width characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from uniasr.text.join import pieces, solid
from uniasr.types import Segment, Token, Transcript

MAX_COLUMNS = 42
MAX_LINES = 2
MAX_MS = 7000
MIN_MS = 833
PAUSE_MS = 700

_NO_LINE_START = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）」』】〕〉》”’ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}%"
)
_NO_LINE_END = frozenset("（「『【〔〈《“‘([{")
_SENTENCE_END = frozenset("。？！?!")


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines to show from start to end, in milliseconds from the start of the audio."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def make_cues(transcript: Transcript) -> list[Cue]:
    """Cues in order of time; each ends at or before the start of the next and lasts at least 1 ms.

    A cue ends with its segment, at a pause of PAUSE_MS, after a sentence, or where another word would make it longer
    than MAX_MS or MAX_LINES lines of MAX_COLUMNS. A segment whose text is not that of its tokens (it was rewritten
    after recognition) is cut by width alone, its time shared out in proportion.
    """
    return _settle([cue for segment in transcript.segments for cue in _segment_cues(segment)])


def one_line(text: str) -> str:
    """The text with every run of blanks and line ends as one blank, and without control characters."""
    return " ".join("".join(char for char in text if char.isspace() or unicodedata.category(char) != "Cc").split())


def columns(text: str) -> int:
    """Width of a text in columns of a fixed-width font; full-width characters take two."""
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text if not unicodedata.combining(char)
    )


def wrap(text: str, width: int = MAX_COLUMNS) -> list[str]:
    """Lines of at most `width` columns, broken at blanks or between characters of scripts without blanks.

    No line begins with closing marks or small kana, none ends with an opening mark. Only a word wider than a line is
    broken inside.
    """
    lines: list[str] = []
    text = one_line(text)
    while columns(text) > width:
        fitting = len(text)
        while fitting > 1 and columns(text[:fitting]) > width:
            fitting -= 1
        cut = next((i for i in range(fitting, 0, -1) if _breakable(text, i)), fitting)
        lines.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*lines, text] if text else lines


def _breakable(text: str, i: int) -> bool:
    left, right = text[i - 1], text[i]
    if right == " " or left == " ":
        return True
    # A combining mark stays with its letter.
    if unicodedata.category(right).startswith("M") or right in _NO_LINE_START or left in _NO_LINE_END:
        return False
    return solid(left) or solid(right)


def _segment_cues(segment: Segment) -> Iterator[Cue]:
    shown = pieces([token.text for token in segment.tokens])
    if _bare("".join(shown)) != _bare(segment.text):
        yield from _rewritten_cues(segment)
        return
    start: int | None = None
    text, end = "", 0
    for word, first, last in _words(segment.tokens, shown):
        if start is not None and _closes(text, word, start, end, first, last):
            yield Cue(start, end, tuple(wrap(text)))
            text, start = "", None
        if start is None:
            start = first.start_ms
        text, end = text + word, last.end_ms
    if start is not None:
        yield Cue(start, end, tuple(wrap(text)))


def _words(tokens: tuple[Token, ...], shown: list[str]) -> Iterator[tuple[str, Token, Token]]:
    """Runs of tokens between which a cue may end: the text, the first and the last token."""
    word, first, last = "", None, None
    for token, piece in zip(tokens, shown, strict=True):
        if not one_line(piece):
            word += " " if piece and word else ""
            continue
        if first is not None and last is not None and _breakable(word + piece, len(word)):
            yield word, first, last
            word, first = "", None
        word, first, last = word + piece, first or token, token
    if first is not None and last is not None:
        yield word, first, last


def _closes(text: str, word: str, start: int, end: int, first: Token, last: Token) -> bool:
    """Whether a cue of this text must end before the word."""
    return (
        first.start_ms - end >= PAUSE_MS
        or last.end_ms - start > MAX_MS
        or text[-1:] in _SENTENCE_END
        or len(wrap(text + word)) > MAX_LINES
    )


def _rewritten_cues(segment: Segment) -> Iterator[Cue]:
    lines = wrap(segment.text)
    total = sum(map(columns, lines))
    passed, duration = 0, segment.end_ms - segment.start_ms
    for i in range(0, len(lines), MAX_LINES):
        shown = tuple(lines[i : i + MAX_LINES])
        start = segment.start_ms + duration * passed // total
        passed += sum(map(columns, shown))
        yield Cue(start, segment.start_ms + duration * passed // total, shown)


def _settle(found: list[Cue]) -> list[Cue]:
    """The same cues with times in order, and short ones kept on the screen while there is room before the next."""
    settled: list[Cue] = []
    reached = 0
    for i, cue in enumerate(found):
        start = max(cue.start_ms, reached)
        end = max(cue.end_ms, start + 1)
        following = found[i + 1].start_ms if i + 1 < len(found) else None
        if following is None or following > start:
            end = max(end, start + MIN_MS)
            end = end if following is None else min(end, following)
        settled.append(Cue(start, end, cue.lines))
        reached = end
    return settled


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()
