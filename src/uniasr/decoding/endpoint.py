"""When an utterance of a stream is over: rules as data, over rows that hold speech or do not.

What speech is, others say: a row with a firing, or one that a voice activity detector marks. Each rule asks for some
silence at the end and some length in all; the utterance ends at the first row where one of them holds.
Source: Kaldi's online endpointing (online2/online-endpoint.h), of whose five rules the two that ask for the decoder's
final costs are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np

from uniasr.errors import OptionError
from uniasr.types import Bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRule:
    """Ends an utterance that has all of this. Raises OptionError for a rule that would end one at once."""

    name: str
    silence_ms: float = 0.0
    """Silence since the last row with speech, or since the start where none had any."""
    length_ms: float = 0.0
    """Length of the utterance, silence included."""
    after_speech: bool = False
    """Whether there must have been speech."""

    def __post_init__(self) -> None:
        for field in ("silence_ms", "length_ms"):
            value = getattr(self, field)
            if not (isfinite(value) and value >= 0):
                raise OptionError(f"{field} of the endpoint rule {self.name!r} is {value!r}; give milliseconds >= 0")
        if not self.silence_ms and not self.length_ms:
            raise OptionError(f"the endpoint rule {self.name!r} asks for no silence and no length; give one of them")


SILENCE_BEFORE_SPEECH = EndpointRule(name="silence before speech", silence_ms=5000.0)
SILENCE_AFTER_SPEECH = EndpointRule(name="silence after speech", silence_ms=1200.0, after_speech=True)
"""Kaldi waits 2 s; text that is not shown while a speaker waits for an answer seems lost."""
LENGTH = EndpointRule(name="length", length_ms=20_000.0)

RULES = (SILENCE_AFTER_SPEECH, SILENCE_BEFORE_SPEECH, LENGTH)
"""What streams use unless they are told otherwise."""


@dataclass(frozen=True, slots=True)
class EndpointCarry:
    """What is known of the open utterance. The initial values are those before its first row."""

    length: int = 0
    """Rows so far."""
    silence: int = 0
    """Rows since the last one with speech."""
    spoken: bool = False
    """Whether any row had speech."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an utterance ends, and why."""

    row: int
    """Last row of the utterance, counted from the first row of the call."""
    rule: EndpointRule
    silence: int
    """Rows without speech at its end."""


def find_endpoint(
    carry: EndpointCarry, speech: Bool, row_ms: float, rules: Iterable[EndpointRule] = RULES
) -> tuple[EndpointCarry, Endpoint | None]:
    """The first endpoint in the next rows, if there is one.

    Args:
        carry: what the rows before left; `EndpointCarry()` at the start of an utterance.
        speech: [R] whether each row holds speech.
        row_ms: audio per row.
        rules: earlier ones go first where several hold at the same row.

    Returns:
        The carry behind all rows and None; or `EndpointCarry()` and the endpoint: rows behind it belong to the next
        utterance and are to be given again. However the rows are cut into calls, the endpoints are the same.
    """
    rows = np.arange(len(speech))
    last = np.maximum.accumulate(np.where(speech, rows, -1 - carry.silence)) if len(speech) else rows
    silence, length = rows - last, carry.length + rows + 1
    spoken = carry.spoken | (last >= 0)
    found: Endpoint | None = None
    for rule in rules:
        holds = (silence >= ceil(rule.silence_ms / row_ms)) & (length >= ceil(rule.length_ms / row_ms))
        if rule.after_speech:
            holds &= spoken
        at = np.flatnonzero(holds)
        if len(at) and (found is None or at[0] < found.row):
            found = Endpoint(int(at[0]), rule, int(silence[at[0]]))
    if found is not None:
        return EndpointCarry(), found
    if not len(speech):
        return carry, None
    return EndpointCarry(int(length[-1]), int(silence[-1]), bool(spoken[-1])), None
