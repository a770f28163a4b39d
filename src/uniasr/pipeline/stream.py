"""Live input through a pipeline: each stretch of speech is a stream of the recogniser, whose results are finished.

The samples that a stretch is made of are those of the same stretch in a file, so that the finals are the file's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from uniasr.audio.pcm import PcmDecoder, pieces
from uniasr.engines.base import Engine
from uniasr.errors import AudioError, OptionError
from uniasr.pipeline.finish import FinishCarry, Finisher
from uniasr.pipeline.parts import LiveRecognition
from uniasr.pipeline.speech import Recent
from uniasr.recognizers.vad import Session, advance
from uniasr.text.hotwords import Hotwords, read_hotwords
from uniasr.types import F32, Event, Final


@dataclass(slots=True)
class _Open:
    """A stretch of speech that has begun."""

    recognition: LiveRecognition
    start_ms: int
    fed_ms: int
    """The recogniser has heard the audio before this."""


class PipelineStream:
    """A live input: packets in, events out; use it in a `with` block. Not for several threads at once."""

    def __init__(
        self,
        open_recognition: Callable[[], LiveRecognition],
        finisher: Finisher,
        decoder: PcmDecoder,
        rate_hz: int,
        vad: tuple[Engine, Session] | None,
        hotwords: Hotwords | None = None,
    ) -> None:
        self._open_recognition, self._finisher, self._decoder, self._rate_hz = (
            open_recognition,
            finisher,
            decoder,
            rate_hz,
        )
        self._vad, self._recent, self._carry = vad, Recent(rate_hz), FinishCarry()
        self._open = _Open(open_recognition(), 0, 0) if vad is None else None
        self._spoken: tuple[FinishCarry, Final, int] | None = None
        """What the latest final with words was made from."""
        self._hotwords = () if hotwords is None else read_hotwords(hotwords)
        self._changed = False
        """Whether these are other words than the recogniser is opened with."""
        self._finished = False

    def accept(self, packet: Any) -> list[Event]:
        """Events that become certain with this packet, which is what `Stream.accept` of a model takes."""
        self._must_be_open()
        samples = self._decoder.decode(packet)
        return [event for piece in pieces(samples, self._rate_hz) for event in self._hear(piece)]

    def finish(self) -> list[Event]:
        """The remaining events; the audio is complete.

        If there are finals with words among them, the last one ends in a full stop.
        """
        self._decoder.finish()
        if self._finished:
            return []
        self._finished = True
        if self._vad is None:
            return self._with_end(self._close())
        self._vad[1].end()
        return self._with_end(self._follow())

    def set_hotwords(self, hotwords: Any) -> None:
        """Listen for other words from here on; None listens for none.

        Raises OptionError as opening with them does, AudioError where the stream has been finished.
        """
        self._must_be_open()
        words = None if hotwords is None else read_hotwords(hotwords)
        # Where nobody speaks, a recogniser that hears nothing tells whether it can listen for them.
        _set_hotwords(self._open.recognition if self._open is not None else self._open_recognition(), words)
        self._hotwords, self._changed = words or (), True

    def __enter__(self) -> PipelineStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release."""

    def _must_be_open(self) -> None:
        if self._finished:
            raise AudioError("this stream has been finished; open another one for more audio")

    def _hear(self, samples: F32) -> list[Event]:
        if self._vad is None:
            assert self._open is not None
            return self._finish_events(self._open.recognition.accept(samples))
        self._recent.append(samples)
        self._vad[1].feed(samples)
        return self._follow()

    def _follow(self) -> list[Event]:
        """Open and close what the detector has found, and let the recogniser hear what is certain."""
        assert self._vad is not None
        engine, session = self._vad
        advance(engine, [session])
        events: list[Event] = []
        for start_ms, end_ms in session.drain():
            if start_ms >= 0:
                self._open = _Open(self._recognition(), start_ms, start_ms)
            if end_ms >= 0:
                events += self._feed(end_ms)
                events += self._close()
        if self._open is not None:
            events += self._feed(session.certain_ms)
            self._recent.drop_before(self._open.fed_ms)
        else:
            self._recent.drop_before(session.settled_ms)
        return events

    def _recognition(self) -> LiveRecognition:
        recognition = self._open_recognition()
        if self._changed:
            _set_hotwords(recognition, self._hotwords or None)
        return recognition

    def _feed(self, until_ms: int) -> list[Event]:
        """Let the recogniser of the open stretch hear the audio up to a time."""
        assert self._open is not None
        samples = self._recent.between(self._open.fed_ms, until_ms)
        self._open.fed_ms = max(self._open.fed_ms, until_ms)
        return self._finish_events(self._open.recognition.accept(samples)) if len(samples) else []

    def _close(self) -> list[Event]:
        assert self._open is not None
        events = self._finish_events(self._open.recognition.finish())
        self._open = None
        return events

    def _with_end(self, events: Sequence[Event]) -> list[Event]:
        """The last events, of which the last final with words is one that no words follow."""
        places = [i for i, event in enumerate(events) if isinstance(event, Final) and event.tokens]
        if not places or self._spoken is None:
            return list(events)
        _, final = self._finisher.final(*self._spoken, last=True)
        return [*events[: places[-1]], final, *events[places[-1] + 1 :]]

    def _finish_events(self, events: Sequence[Event]) -> list[Event]:
        assert self._open is not None
        finished: list[Event] = []
        for event in events:
            if isinstance(event, Final):
                if event.tokens:
                    self._spoken = self._carry, event, self._open.start_ms
                self._carry, final = self._finisher.final(self._carry, event, self._open.start_ms)
                finished.append(final)
            else:
                finished.append(self._finisher.partial(self._carry, event, self._open.start_ms, self._hotwords))
        return finished


def _set_hotwords(recognition: LiveRecognition, hotwords: Any) -> None:
    change = getattr(recognition, "set_hotwords", None)
    if change is None:
        raise OptionError("this recogniser cannot listen for hotwords; give none")
    change(hotwords)
