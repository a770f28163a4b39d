"""The limits of subtitle cues, and where they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from uniasr.errors import OptionError
from uniasr.types import is_number

PAUSE_MS = 700
"""A cue never goes on over a pause of this length."""
LINGER_MS = 1500
"""A cue stays at most this long after its speech (BBC Subtitle Guidelines 5.2)."""
CHAIN_MS = 500
"""A shorter gap between two cues flickers: it is closed to `gap_ms`."""
STEP_MS = 10
"""No cue is shorter; the hundredths of a second of ASS cannot show less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CueRules:
    """Limits of cues. Raises OptionError for values that no cue can meet.

    Two lines, 5/6 s to 7 s and two frames between cues are in Netflix's Timed Text Style Guide, General Requirements.
    16 full-width characters a line and 7 a second are quoted from its Japanese guide, for subtitles for the deaf and
    hard of hearing. Two half-width characters count as one, so a line has 32 Latin letters.
    """

    max_line_chars: int = 16
    """Full-width characters of a line; holds always."""
    max_lines: int = 2
    """Holds always."""
    max_cps: float = 7.0
    """Full-width characters to read in a second. A cue stays longer to meet it; faster speech without pauses cannot."""
    max_ms: int = 7000
    """Longest time on the screen; holds always."""
    min_ms: int = 833
    """Shortest time on the screen, unless the next cue or the end of the audio comes sooner."""
    gap_ms: int = 83
    """Between two cues, unless the first would then fall below `min_ms`."""

    def __post_init__(self) -> None:
        if not isinstance(self.max_line_chars, int) or self.max_line_chars < 4:
            raise OptionError(f"max_line_chars is {self.max_line_chars!r:.80}; it must be a whole number of at least 4")
        if self.max_lines not in (1, 2):
            raise OptionError(f"max_lines is {self.max_lines!r:.80}; it must be 1 or 2")
        if not (is_number(self.max_cps) and self.max_cps > 0):
            raise OptionError(f"max_cps is {self.max_cps!r:.80}; it must be a positive number of characters per second")
        for name in ("max_ms", "min_ms", "gap_ms"):
            if not isinstance(value := getattr(self, name), int):
                raise OptionError(f"{name} is {value!r:.80}; it must be a whole number of milliseconds")
        if not 0 <= self.gap_ms < self.min_ms <= self.max_ms:
            raise OptionError(
                f"gap_ms {self.gap_ms!r}, min_ms {self.min_ms!r} and max_ms {self.max_ms!r} do not fit; "
                "0 <= gap_ms < min_ms <= max_ms must hold"
            )
        if self.max_ms < STEP_MS:
            raise OptionError(f"max_ms is {self.max_ms!r}; no cue is shorter than {STEP_MS} ms")

    @classmethod
    def given(cls, rules: CueRules | None) -> CueRules:
        """The rules of a call, the usual ones for None. Raises OptionError for anything else."""
        if not (rules is None or isinstance(rules, cls)):
            raise OptionError(f"rules is {rules!r:.60}; give CueRules(max_ms=...), or None for the usual ones")
        return rules or cls()

    @property
    def line_columns(self) -> int:
        """Columns of a line."""
        return 2 * self.max_line_chars

    def stay_ms(self, num_columns: int, speech_ms: int) -> int:
        """How long a text should be seen whose speech lasts `speech_ms`, when nothing else asks for the screen."""
        reading_ms = math.ceil(num_columns / 2 / self.max_cps * 1000)
        return min(max(speech_ms, min(max(self.min_ms, reading_ms), speech_ms + LINGER_MS)), self.max_ms)
