"""When an utterance of a stream is over: rules as data, over rows that hold speech or do not.

What speech is, others say: a row with a firing, or one that a voice activity detector marks. Each rule asks for some
silence at the end and some length in all; the utterance ends at the first row where one of them holds.
Source: Kaldi's online endpointing (online2/online-endpoint.h), of whose five rules the two that ask for the decoder's
final costs are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

from uniasr.types import Bool, EndpointRule


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
    carry: EndpointCarry, speech: Bool, row_ms: float, rules: Iterable[EndpointRule]
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
