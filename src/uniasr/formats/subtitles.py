"""SubRip, WebVTT and Advanced SubStation Alpha, written piece by piece as segments close.

None of them has an escape for everything. Where one is missing, an invisible WORD JOINER (U+2060) keeps characters of
the text from being read as markup; every character of the text stays in the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uniasr.errors import OptionError
from uniasr.formats.cues import Cue, CueCarry, finish, lay_out
from uniasr.formats.rules import CueRules
from uniasr.types import Segment

_JOINER = "\u2060"

_ASS_HEADER = """\
[Script Info]
ScriptType: v4.00+
PlayResX: 1920
PlayResY: 1080
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,{font},72,&H00FFFFFF,&H000000FF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,4,1,2,60,60,54,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""White text with a black outline at the bottom; lines break only where the cue has them (WrapStyle 2)."""

_ASS_FONT = "Noto Sans CJK JP"


def srt_block(cue: Cue) -> str:
    """SubRip: a number, a line of times, the lines, and an empty line before the next block."""
    # Players take <b> and {\an8} for formatting, and an arrow for a line of times.
    text = re.sub(r"(?<=--)(?=>)|(?<=<)(?=[/\w])|(?<=\{)(?=\\)", _JOINER, "\n".join(cue.lines))
    blank = "\n" if cue.number > 1 else ""
    return f"{blank}{cue.number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{text}\n"


def vtt_block(cue: Cue) -> str:
    """WebVTT as the W3C describes it: `&`, `<` and `>` are escaped, so no arrow can appear in a text."""
    text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"\n{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{text}\n"


def ass_block(cue: Cue) -> str:
    r"""An event of ASS: `\N` ends a line, `\{` and `\}` are the escapes of libass; a backslash has none."""
    lines = [re.sub(r"[{}]|\\", lambda m: f"\\{_JOINER}" if m[0] == "\\" else f"\\{m[0]}", line) for line in cue.lines]
    text = r"\N".join(lines)
    times = f"{_hundredths(cue.start_ms)},{_hundredths(cue.end_ms)}"
    return f"Dialogue: 0,{times},Default,,0,0,0,,{text}\n"


@dataclass(frozen=True, slots=True)
class SubtitleForm:
    """What makes a subtitle format: the beginning of the file and the block of a cue."""

    header: str
    block: Callable[[Cue], str]


SUBTITLES = {
    "srt": SubtitleForm("", srt_block),
    "vtt": SubtitleForm("WEBVTT\n", vtt_block),
    "ass": SubtitleForm(_ASS_HEADER.format(font=_ASS_FONT), ass_block),
}


class SubtitleWriter:
    """The text of a subtitle file, piece by piece. Joined, the pieces are the file of the whole transcript.

    A cue is certain when the next one is known, so the last cue of a segment comes with the segment after it.
    """

    def __init__(self, fmt: str, rules: CueRules | None = None) -> None:
        if not isinstance(fmt, str) or fmt not in SUBTITLES:
            raise OptionError(f"subtitle format {fmt!r:.80} is unknown; choose one of {', '.join(SUBTITLES)}")
        self._form, self._rules = SUBTITLES[fmt], CueRules.given(rules)
        self._carry, self._begun = CueCarry(), False

    def add(self, segment: Segment) -> str:
        """What the file goes on with when a segment has closed."""
        self._carry, cues = lay_out(self._carry, segment, self._rules)
        return self._piece(cues)

    def finish(self, duration_ms: int | None = None) -> str:
        """The end of the file; `duration_ms` is the length of the audio, if it is known."""
        cues = finish(self._carry, self._rules, duration_ms)
        self._carry = CueCarry()
        return self._piece(cues)

    def _piece(self, cues: Sequence[Cue]) -> str:
        header = "" if self._begun else self._form.header
        self._begun = True
        return header + "".join(map(self._form.block, cues))


def _clock(ms: int, mark: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"


def _hundredths(ms: int) -> str:
    seconds, rest = divmod(ms // 10, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:02d}"
