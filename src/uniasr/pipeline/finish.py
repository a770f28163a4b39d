"""Marks and numbers for recognised tokens: what turns a recogniser's words into text to read, segment by segment.

In a recording, marks are chosen with the words on both sides; in a stream, with those before them and the pause, and
its last words end in a full stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from uniasr.pipeline.parts import Convert
from uniasr.recognizers.punctuation import Punctuator, StreamCarry
from uniasr.text.hotwords import Hotword
from uniasr.text.join import join_tokens
from uniasr.text.normalization import align_tokens
from uniasr.types import Final, Partial, Segment, Token, Transcript


@dataclass(frozen=True, slots=True)
class FinishCarry:
    """What the text so far means for the next segment."""

    punctuation: StreamCarry = field(default_factory=StreamCarry)
    segments: int = 0
    """Segments so far."""


@dataclass(frozen=True, slots=True)
class Finisher:
    """Punctuation, then inverse text normalisation; either may be missing. Pure: what it remembers is in the carry.

    A hotword stays as the user gave it, whatever its numerals would become elsewhere.
    """

    punctuator: Punctuator | None
    convert: Convert | None

    def partial(self, carry: FinishCarry, event: Partial, offset_ms: int, hotwords: Iterable[Hotword] = ()) -> Partial:
        """A partial result or a refresh in the time of the recording, with marks and numbers.

        Both may change with the words that follow, so that none of its tokens counts as stable then. Which of the
        `hotwords` were heard is known with the final only: until then all count that the text holds.
        """
        tokens, text, stable = shifted(event.tokens, offset_ms), event.text, event.stable
        if self.punctuator is not None or self.convert is not None:
            phrases = [one.word for one in hotwords if one.word in text]
            _, tokens, text = self._written(carry.punctuation, tokens, phrases, ended=False)
            stable = 0
        audio_ms = event.audio_ms + offset_ms
        return replace(event, segment=carry.segments, tokens=tokens, text=text, stable=stable, audio_ms=audio_ms)

    def final(
        self, carry: FinishCarry, event: Final, offset_ms: int, *, last: bool = False
    ) -> tuple[FinishCarry, Final]:
        """A final result in the time of the recording, with marks and numbers; `last`: no words follow it."""
        moved = placed(event.result, carry.segments, offset_ms)
        phrases = [match.word for match in moved.hotwords]
        punctuation, tokens, text = self._written(carry.punctuation, moved.tokens, phrases, ended=True, last=last)
        done = replace(moved, tokens=tokens, text=text)
        carry = FinishCarry(punctuation, carry.segments + 1)
        return carry, Final(done.index, done.text, done.tokens, done.end_ms, len(done.tokens), done)

    def recording(self) -> RecordingText:
        """The text of a recording whose segments come one after another."""
        return RecordingText(self)

    def whole(self, transcript: Transcript) -> Transcript:
        """A transcript of a whole recording with marks and numbers."""
        if self.punctuator is None and self.convert is None:
            return transcript
        text = self.recording()
        segments = [done for segment in transcript.segments for done in text.add(segment, 0)]
        return transcript_of([*segments, *text.finish()], transcript.duration_ms)

    def converted(self, tokens: tuple[Token, ...], phrases: Sequence[str]) -> tuple[tuple[Token, ...], str]:
        """Tokens with numbers written in digits, but for those in the phrases, and their text."""
        text = join_tokens([token.text for token in tokens])
        if self.convert is None or not text:
            return tokens, text
        result = self.convert(text, phrases)
        return align_tokens(tokens, result), result.text

    def _written(
        self,
        carry: StreamCarry,
        tokens: tuple[Token, ...],
        phrases: Sequence[str],
        *,
        ended: bool,
        last: bool = False,
    ) -> tuple[StreamCarry, tuple[Token, ...], str]:
        if self.punctuator is not None:
            carry, tokens = self.punctuator.follow(carry, tokens, ended=ended, last=last)
        return carry, *self.converted(tokens, phrases)


class RecordingText:
    """Segments of a recording in, the same segments with marks and numbers out, each once its marks are certain.

    Unlike in a stream, a mark is chosen with the words that follow it.
    """

    def __init__(self, finisher: Finisher) -> None:
        self._finisher, self._count = finisher, 0
        self._marks = None if finisher.punctuator is None else finisher.punctuator.long_text()
        self._waiting: deque[Segment] = deque()

    def add(self, segment: Segment, offset_ms: int) -> list[Segment]:
        """A recogniser's segment, which began `offset_ms` into the recording; returns those that are ready."""
        segment = placed(segment, self._count, offset_ms)
        self._count += 1
        self._waiting.append(segment)
        return self._ready([segment.tokens] if self._marks is None else self._marks.add(segment.tokens))

    def finish(self) -> list[Segment]:
        """The recording ends; returns the remaining segments."""
        return [] if self._marks is None else self._ready(self._marks.finish())

    def _ready(self, groups: Iterable[tuple[Token, ...]]) -> list[Segment]:
        ready = []
        for tokens in groups:
            segment = self._waiting.popleft()
            written, text = self._finisher.converted(tokens, [match.word for match in segment.hotwords])
            ready.append(replace(segment, tokens=written, text=text))
        return ready


def placed(segment: Segment, index: int, offset_ms: int) -> Segment:
    """A segment of a stretch as one of the recording."""
    return replace(
        segment,
        index=index,
        start_ms=segment.start_ms + offset_ms,
        end_ms=segment.end_ms + offset_ms,
        tokens=shifted(segment.tokens, offset_ms),
        hotwords=tuple(
            replace(match, start_ms=match.start_ms + offset_ms, end_ms=match.end_ms + offset_ms, segment=index)
            for match in segment.hotwords
        ),
    )


def shifted(tokens: Sequence[Token], offset_ms: int) -> tuple[Token, ...]:
    """The same tokens, `offset_ms` later."""
    if not offset_ms:
        return tuple(tokens)
    return tuple(
        replace(token, start_ms=token.start_ms + offset_ms, end_ms=token.end_ms + offset_ms) for token in tokens
    )


def transcript_of(segments: Sequence[Segment], duration_ms: int) -> Transcript:
    """The result for a whole recording."""
    return Transcript(join_tokens([segment.text for segment in segments]), tuple(segments), duration_ms)
