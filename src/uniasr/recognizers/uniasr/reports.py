"""What a live session shows of its open segment: partials of pass 1, refreshes of pass 2."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uniasr.decoding.beam import Path
from uniasr.decoding.timestamps import ROOM_MS, with_lengths
from uniasr.recognizers.uniasr.passes import PassCarry
from uniasr.recognizers.uniasr.segments import Clock, Hearing, OpenSegment, shown_tokens, text_of, visible
from uniasr.recognizers.written import Writing
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import Partial, Refresh, Token


@dataclass(slots=True)
class Reports:
    """The reports of one segment, and what the last refresh showed of pass 2."""

    segment: OpenSegment
    vocabulary: Vocabulary
    writing: Writing | None
    """How kana become what is shown."""
    refresh_ms: float | None
    """Least time between refreshes."""
    refreshed: Sequence[Token | None] = ()
    stable: int = 0
    """Leading ones of these that never change again."""
    frames: int = 0
    """Feature rows that they cover."""
    refreshed_ms: int | None = None
    promised: int = 0
    """Leading tokens that an event has called stable."""

    def after(self, carry: PassCarry, clock: Clock) -> Partial | None:
        """What there is to show after a chunk of a pass: Partial after pass 1, Refresh after pass 2 if it is time."""
        first, second = self.segment.first, self.segment.second
        if second is None:
            tokens, stable = self._tokens(first, clock)
            return self._event(Partial, visible(tokens), _count(tokens[:stable]), clock)
        if carry is first:
            return self._both(Partial, clock)
        now = clock.at_frame(first.frames_done)
        if self.refresh_ms is not None and self.refreshed_ms is not None and now - self.refreshed_ms < self.refresh_ms:
            return None
        self.refreshed, self.stable = self._tokens(second, clock)
        self.refreshed_ms, self.frames = now, second.frames_done
        return self._both(Refresh, clock)

    def _both(self, kind: type[Partial], clock: Clock) -> Partial:
        """Second-pass tokens so far, then the first pass's tokens that fire behind them."""
        first = self.segment.first
        ahead, _ = self._tokens(first, clock)
        behind = [token for token, end in zip(ahead, first.ends, strict=False) if end > self.frames]
        head = visible(self.refreshed)
        last_ms = head[-1].end_ms if head else 0
        shown = visible(behind)
        times = [(max(token.start_ms, last_ms), max(token.end_ms, last_ms)) for token in shown]
        times = with_lengths(times, last_ms, clock.limit_ms)
        tail = tuple(
            replace(token, start_ms=start, end_ms=end) for token, (start, end) in zip(shown, times, strict=True)
        )
        return self._event(kind, head + tail, _count(self.refreshed[: self.stable]), clock)

    def _tokens(self, carry: PassCarry, clock: Clock) -> tuple[list[Token | None], int]:
        """Tokens of the best running hypothesis, and how many of them never change again."""
        assert carry.search is not None
        if carry.heard is not None and carry.heard.hides:
            return [], 0
        path: Path = carry.search.running()
        open_text = carry.doubtful or self.segment.hearing is Hearing.FIRST
        stable = 0 if open_text else carry.search.committed()
        # A segment may close behind any row, and inside the last one without look-ahead; what it cuts off moves, and
        # what is near makes room for it.
        unsure = (max(0.0, carry.plan.shift_ms) + ROOM_MS) / carry.plan.row_ms + (carry.plan.chunk.look_ahead == 0)
        stable = min(stable, bisect_right(carry.ends, carry.cif.row - unsure))
        return shown_tokens(carry, path, clock, self.vocabulary, carry.cif.row), stable

    def _event(self, kind: type[Partial], tokens: tuple[Token, ...], stable: int, clock: Clock) -> Partial:
        if self.writing:
            tokens, stable = self.writing.partial(tokens, stable)
        # with a kana more, fewer words may be known to be settled; those that were still are
        segment, self.promised = self.segment, max(self.promised, stable)
        return kind(segment.index, text_of(tokens), tokens, clock.at_frame(segment.first.frames_done), self.promised)


def _count(tokens: Sequence[Token | None]) -> int:
    return len(visible(tokens))
