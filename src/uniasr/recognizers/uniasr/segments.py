"""The open segment of a session: its passes, when it closes, and the tokens that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import ceil, floor, sqrt

import numpy as np

from uniasr.configs.decoding import ConfidenceConfig
from uniasr.decoding.beam import EOS, SOS, Path, Scorers
from uniasr.decoding.confidence import confidence
from uniasr.decoding.ctc import BLANK
from uniasr.decoding.endpoint import EndpointCarry, find_endpoint
from uniasr.decoding.timestamps import token_times
from uniasr.recognizers.uniasr.firing import firing_rows
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry, PassPlan, start_pass
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.text.join import join_tokens
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import DecodingOptions, EndpointRule, Token

PAUSE_MS = 600
"""Of the silence at which a segment closes, so much at its end is looked at for the cut, which lies in the middle."""

PREVIEW_BEAM = 5
"""Most hypotheses of a pass whose text is only shown until the next one's is there: nobody chooses among them."""


class Hearing(Enum):
    """What becomes of the text of a segment's passes."""

    ONLY = "shown, if anybody watches, and final"
    FIRST = "shown at most: once it is closed, the segment is heard again"
    SECOND = "final: the segment has been heard before, and where it ends is known"


@dataclass(slots=True)
class OpenSegment:
    """The segment that a session is in. Pass 2 is None where only pass 1 is asked."""

    hearing: Hearing
    index: int
    start: int
    """First feature row."""
    first: PassCarry
    second: PassCarry | None
    joined: RowBuffer | None
    """Features and first-pass rows side by side: what the second pass reads."""
    speed: float = 1.0
    """So many times as fast as the audio are its rows."""
    num_frames: int | None = None
    """Feature rows, once it is closed."""

    @property
    def final(self) -> PassCarry:
        """The pass whose text counts in the end."""
        return self.second or self.first

    @property
    def closer(self) -> PassCarry:
        """The pass whose firings say when it closes: the one whose text counts, or the one that is through first."""
        return self.first if self.hearing is Hearing.FIRST else self.final

    def end_at(self, num_frames: int) -> None:
        """Where it ends at the latest is known."""
        for carry in (self.first, self.second):
            if carry is not None:
                carry.num_frames = num_frames

    def carry(self, number: int) -> PassCarry | None:
        """The carry of pass 1 or 2."""
        return self.first if number == 1 else self.second


def open_segment(
    index: int,
    start: int,
    plans: Sequence[PassPlan],
    features: RowBuffer,
    options: DecodingOptions,
    scorers: Scorers,
    hearing: Hearing,
    *,
    live: bool,
) -> OpenSegment:
    """A segment that begins at a feature row; passes are decoded only if their text is final or shown live."""
    preview = replace(options, beam_size=min(options.beam_size, PREVIEW_BEAM))

    def start_one(plan: PassPlan, inputs: RowBuffer, offset: int) -> PassCarry:
        final = hearing is not Hearing.FIRST and plan is plans[-1]
        return start_pass(
            plan, inputs, offset, options if final else preview, scorers, decode=final or live, final=final
        )

    first = start_one(plans[0], features, start)
    if len(plans) == 1:
        return OpenSegment(hearing, index, start, first, None, None)
    joined = RowBuffer(plans[1].encoder.input_size)
    return OpenSegment(hearing, index, start, first, start_one(plans[1], joined, 0), joined)


def pause_rows(plan: PassPlan) -> int:
    """Rows of a pass that make a pause."""
    return max(1, ceil(PAUSE_MS / plan.row_ms))


@dataclass(frozen=True, slots=True)
class Closing:
    """Where a segment closes: rows to integrate of the chunk at hand, and rows that the segment keeps in all."""

    count: int
    num_rows: int


def closing_rules(options: DecodingOptions) -> tuple[EndpointRule, ...]:
    """When a segment closes: the call's rules, or at a pause after `segment_s` and at the latest at `max_segment_s`."""
    if options.endpoint is not None:
        return options.endpoint
    pause = EndpointRule(name="pause", silence_ms=options.pause_s * 1000, length_ms=options.segment_s * 1000)
    return pause, EndpointRule(name="length", length_ms=options.max_segment_s * 1000)


def find_closing(carry: PassCarry, chunk: EncodedChunk, count: int, options: DecodingOptions) -> Closing | None:
    """Where the first `count` kept rows of a chunk close the segment, by rules on the firings alone.

    A rule that asks for silence cuts in the middle of its last PAUSE_MS, another one at once.
    """
    if options.search == "reference":
        return None
    begin = carry.cif.row
    speech = np.zeros(count, np.bool_)
    speech[firing_rows(carry, chunk, count) - begin] = True
    state = EndpointCarry(begin, begin - 1 - carry.last_firing, carry.last_firing >= 0)
    _, found = find_endpoint(state, speech, carry.plan.row_ms, closing_rules(options))
    if found is None:
        return None
    pause = min(pause_rows(carry.plan), found.silence) if found.rule.silence_ms else 0
    return Closing(found.row + 1, begin + found.row + 1 - pause // 2)


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns a segment's rows into milliseconds of the audio."""

    frame_ms: float
    offset_ms: float
    limit_ms: int | None
    speed: float = 1.0
    """So many times as fast as the audio are the rows."""

    def at_frame(self, frame: float) -> int:
        """Time of a feature row of the segment, never beyond the audio."""
        time = floor(self.offset_ms + frame * self.frame_ms * self.speed + 0.5)
        return time if self.limit_ms is None else min(time, self.limit_ms)


def shown_tokens(
    carry: PassCarry, path: Path, clock: Clock, vocabulary: Vocabulary, num_rows: int, misfit: float | None = None
) -> list[Token | None]:
    """Tokens of a hypothesis with times and confidence; None for blank and the start and end marks.

    With a `misfit` their confidences are those of a closed segment, where the model has a map for these.
    """
    times = token_times(
        np.array(carry.ends),
        np.array(carry.middles),
        len(path.ids),
        row_ms=carry.plan.row_ms * clock.speed,
        num_rows=num_rows,
        offset_ms=clock.offset_ms,
        limit_ms=clock.limit_ms,
        shift_ms=carry.plan.shift_ms,
    )
    slope, offset = _map(carry.plan.confidence, misfit)
    return [
        None
        if token in (BLANK, SOS, EOS)
        else Token(vocabulary.tokens[token], token, start, end, confidence(log_prob, slope, offset))
        for token, (start, end), log_prob in zip(path.ids.tolist(), times, path.log_probs.tolist(), strict=True)
    ]


def _map(fitted: ConfidenceConfig, misfit: float | None) -> tuple[float, float]:
    """Slope and offset of a segment's confidences."""
    if misfit is None or fitted.closed is None:
        return fitted.slope, fitted.offset
    return fitted.closed.slope, fitted.closed.offset - fitted.closed.misfit * sqrt(misfit)


def visible(tokens: Sequence[Token | None]) -> tuple[Token, ...]:
    """The tokens that stand for text."""
    return tuple(token for token in tokens if token is not None)


def text_of(tokens: Sequence[Token]) -> str:
    """Readable text of tokens."""
    return join_tokens([token.text for token in tokens])
