"""Sessions: audio in, events out. A file is a session that nobody watches. `driver.advance` runs what is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor

import numpy as np

from uniasr.audio.resample import Resampler
from uniasr.configs.decoding import ViewConfig
from uniasr.decoding.beam import Scorers
from uniasr.features.frontend import FrontEnd
from uniasr.recognizers.biasing import hotword_scorer
from uniasr.recognizers.uniasr.closing import ClosedSegment, account
from uniasr.recognizers.uniasr.firing import kept_count
from uniasr.recognizers.uniasr.latency import ModePlans, audio_of_rows_ms
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry, PassPlan
from uniasr.recognizers.uniasr.reports import Reports
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.recognizers.uniasr.segments import (
    Clock,
    Hearing,
    OpenSegment,
    find_closing,
    open_segment,
    pause_rows,
)
from uniasr.recognizers.uniasr.views import rows_in_view
from uniasr.recognizers.written import Conversion, Writing
from uniasr.text.hotwords import Hotwords, read_hotwords
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import F32, DecodingOptions, Event, Final, Segment


class Session:
    """One input on its way through the recogniser. `live` sessions make partial results, others only finals."""

    segment: OpenSegment
    _closed: ClosedSegment | None
    """What the hearings of the segment have given, once it is closed."""

    def __init__(
        self,
        front_end: FrontEnd,
        plans: ModePlans,
        vocabulary: Vocabulary,
        options: DecodingOptions,
        sample_rate_hz: int,
        scorers: Scorers | None = None,
        kana: Conversion | None = None,
        *,
        live: bool,
    ) -> None:
        self.plans, self.options, self.live = plans, options, live
        if options.search == "reference":  # as published: one segment without end, heard once
            self.plans = ModePlans(plans.live)
        self.scorers = scorers or Scorers()
        self._kana = kana
        self._words: Hotwords | None = options.hotwords
        self.events: list[Event] = []
        self.ended = False
        self._front_end, self._vocabulary = front_end, vocabulary
        self._resampler = Resampler(sample_rate_hz, front_end.config.sample_rate_hz)
        self._front = front_end.start()
        self.sample_rate_hz, self._num_samples = sample_rate_hz, 0
        self._features = RowBuffer(front_end.config.feature_size)
        self._audio = RowBuffer(1)
        self._samples_per_row = front_end.config.lfr_n * front_end.config.hop_samples
        self._begin(0, 0)

    def feed(self, samples: F32) -> None:
        """Take mono samples at the session's rate."""
        self._num_samples += len(samples)
        self._rows(self._resampler.process(samples), last=False)

    def end(self) -> None:
        """The audio is complete."""
        self._rows(self._resampler.process(_nothing(), last=True), last=True)
        self.ended = True
        self._tell_end()

    def set_hotwords(self, hotwords: Hotwords | None) -> None:
        """Listen for other words from the next step of each pass on, and write them from the next segment on.

        A segment that is heard again is heard, and written, with the words of that time.
        """
        words = None if hotwords is None else read_hotwords(hotwords)
        scorer = hotword_scorer(words, self._vocabulary)
        self.scorers, self._words = replace(self.scorers, hotwords=scorer), words
        for carry in (self.segment.first, self.segment.second):
            if carry is not None:
                carry.set_hotwords(scorer)

    @property
    def duration_ms(self) -> int:
        """Audio taken so far."""
        return floor(self._num_samples * 1000 / self.sample_rate_hz + 0.5)

    def drain(self) -> list[Event]:
        """Events since the last call."""
        events, self.events = self.events, []
        return events

    def chunks_to_run(self, number: int) -> int:
        """Chunks of a pass that can and should be computed now; pass 1 waits when pass 2 could go on."""
        segment = self.segment
        carry = segment.carry(number)
        if carry is None or segment.num_frames is not None:
            return 0
        count = carry.ready_chunks(carry.plan.block_chunks)
        if number == 1 and segment.second is not None:
            needed = segment.second.input_needed(segment.second.chunk)
            stride = carry.plan.chunk.stride
            count = min(count, max(0, -(-needed // stride) - carry.chunk))
        return count

    def closing(self, carry: PassCarry, chunk: EncodedChunk) -> int:
        """Kept rows of a chunk to integrate; closes the segment if the rule says so."""
        count = kept_count(carry, chunk)
        if carry is self.segment.closer and self.segment.hearing is not Hearing.SECOND:
            found = find_closing(carry, chunk, count, self.options)
            if found is not None:
                self.segment.num_frames = found.num_rows * carry.plan.frames_per_row
                if carry.num_frames is not None:
                    self.segment.num_frames = min(self.segment.num_frames, carry.num_frames)
                return found.count
        return count

    def took(self, carry: PassCarry, chunk: EncodedChunk) -> None:
        """A chunk has been integrated and its steps taken: pass its rows on, tell what is new."""
        segment = self.segment
        if carry is segment.first and segment.joined is not None:
            self._join(carry, chunk)
        watched = self.live and segment.hearing is not Hearing.SECOND
        if watched and segment.num_frames is None and not self._all_integrated():
            event = self._reports.after(carry, self._clock_so_far())
            if event is not None:
                self.events.append(event)
        self._forget()

    def complete(self) -> bool:
        """Whether the segment is closed, or its end is known and all of it is integrated."""
        if self.segment.num_frames is None and self._all_integrated():
            self.segment.num_frames = self.segment.closer.num_frames
        return bool(self.segment.num_frames)

    def hear_again(self) -> bool:
        """Begin the complete segment anew where another hearing makes its final text; else nothing happens."""
        segment = self.segment
        if segment.hearing is not Hearing.FIRST:
            return False
        assert segment.num_frames is not None
        self._writing = self._new_writing()  # nothing was promised with the old one
        self.segment = self._opened(segment.index, segment.start, self.plans.again, self._features, Hearing.SECOND)
        self.segment.end_at(segment.num_frames)
        return True

    def finish_segment(self) -> None:
        """Emit the Final of the complete segment and open the next one, unless doubt asks for another view of it."""
        segment = self.segment
        assert segment.num_frames is not None
        closed = self._closed = self._closed or ClosedSegment(segment.num_frames)
        judges = self._kana.rescoring(self._words) if self._kana else []
        heard = account(segment, self._clock(), self.options, judges)
        closed.add(heard, self.plans.doubt, self.options)
        if closed.views:
            self.segment = self._viewed(closed.views.pop(0), closed.num_frames)
            return
        result = closed.result(segment.index, self.options, self._vocabulary, closed=self.plans.closed)
        self.events.append(_final(self._writing.segment(result) if self._writing else result))
        start = segment.start + closed.num_frames
        self._begin(segment.index + 1, start)
        self._features.drop_before(start)
        self._audio.drop_before(start * self._samples_per_row)
        if self.ended:
            self._tell_end()

    def _begin(self, index: int, start: int) -> None:
        """A new segment, heard for the first time."""
        plans, hearing = self.plans.live, Hearing.ONLY
        if self.plans.again:
            plans, hearing = plans if self.live else plans[:1], Hearing.FIRST  # what nobody sees need not be heard
        self._closed = None
        self._writing = self._new_writing()
        self.segment = self._opened(index, start, plans, self._features, hearing)
        self._reports = Reports(self.segment, self._vocabulary, self._writing, self.options.refresh_ms)

    def _new_writing(self) -> Writing | None:
        return self._kana.writing(self._words) if self._kana else None

    def _viewed(self, view: ViewConfig, num_frames: int) -> OpenSegment:
        """The closed segment once more, in another view."""
        index, start = self.segment.index, self.segment.start
        front = self._front_end.config
        # What these rows needed: if there is more by now depends on the packets.
        end = floor(audio_of_rows_ms(front, start + num_frames) * front.sample_rate_hz / 1000)
        samples = self._audio.take(np.arange(start * self._samples_per_row, min(end, self._audio.end)))[:, 0]
        rows = RowBuffer(front.feature_size, start)
        rows.append(rows_in_view(self._front_end, samples, view))
        segment = self._opened(index, start, self.plans.final, rows, Hearing.SECOND)
        segment.speed = view.speed
        segment.end_at(rows.end - start)
        return segment

    def _opened(
        self, index: int, start: int, plans: Sequence[PassPlan], rows: RowBuffer, hearing: Hearing
    ) -> OpenSegment:
        live = self.live and hearing is not Hearing.SECOND
        return open_segment(index, start, plans, rows, self.options, self.scorers, hearing, live=live)

    def _rows(self, samples: F32, *, last: bool) -> None:
        if self.plans.doubt:
            self._audio.append(samples[:, np.newaxis])
        self._front, rows = self._front_end.step(self._front, samples, last=last)
        if len(rows):
            self._features.append(rows)

    def _tell_end(self) -> None:
        self.segment.end_at(self._features.end - self.segment.start)

    def _all_integrated(self) -> bool:
        closer = self.segment.closer
        return closer.num_rows is not None and closer.cif.row >= closer.num_rows

    def _join(self, carry: PassCarry, chunk: EncodedChunk) -> None:
        assert self.segment.joined is not None
        count = kept_count(carry, chunk)
        first = self.segment.start + chunk.number * carry.plan.chunk.stride
        features = self.segment.first.inputs.take(np.arange(first, first + count))
        start = carry.plan.chunk.pad_left
        self.segment.joined.append(np.concatenate([features, chunk.rows[start : start + count]], axis=1))

    def _forget(self) -> None:
        """Drop rows that nothing will read again: a pass reads from its next chunk on, a cut falls into a pause."""
        segment = self.segment
        first, final = segment.first, segment.final
        if segment.hearing is Hearing.ONLY:
            per_row = final.plan.frames_per_row
            read = first.chunk * first.plan.chunk.stride - first.plan.chunk.pad_left
            cut = (final.cif.row - pause_rows(final.plan)) * per_row
            self._features.drop_before(segment.start + min(read, cut))
        if segment.second is not None and segment.joined is not None and segment.second.plan.bridge:
            bridge, chunk = segment.second.plan.bridge, segment.second.plan.chunk
            place = segment.second.chunk * chunk.stride - chunk.pad_left
            segment.joined.drop_before(place * bridge.stride - bridge.pad[0])

    def _clock(self) -> Clock:
        frame_ms = self._front_end.config.row_ms
        limit = self.duration_ms if self.ended else None
        return Clock(frame_ms, self.segment.start * frame_ms, limit, self.segment.speed)

    def _clock_so_far(self) -> Clock:
        """The clock of a report: nothing lies beyond the rows it covers, nor beyond the audio they had to wait for."""
        clock, first = self._clock(), self.segment.first
        limit = clock.at_frame(first.frames_done)
        if not self.ended:
            rows = self.segment.start + first.frames_done + first.plan.chunk.look_ahead
            limit = min(limit, floor(audio_of_rows_ms(self._front_end.config, rows)))
        return replace(clock, limit_ms=limit)


def _final(result: Segment) -> Final:
    return Final(result.index, result.text, result.tokens, result.end_ms, len(result.tokens), result)


def _nothing() -> F32:
    return np.zeros(0, np.float32)
