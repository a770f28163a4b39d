"""Voice activity detection as users meet it: recordings, blocks and streams, all through `session.advance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from uniasr.audio.load import Source, Waveform, blocks, check_many
from uniasr.audio.pcm import PcmDecoder, pieces
from uniasr.configs.fsmn_vad import PROFILES, FsmnVadConfig, VadOptions
from uniasr.engines.base import Engine
from uniasr.errors import AudioError, OptionError, UniasrError
from uniasr.features.cmvn import Cmvn
from uniasr.features.frontend import FrontEnd
from uniasr.recognizers.together import Family, together
from uniasr.recognizers.vad.detector import Boundary, Detector, DetectorState, joined
from uniasr.recognizers.vad.session import BATCH, Session, advance
from uniasr.types import F64, MOST_NUMBER, is_number


class Vad:
    """A voice activity detector. Immutable: options belong to each call, state to each session."""

    def __init__(self, engine: Engine, config: FsmnVadConfig, cmvn: Cmvn, directory: Path | None = None) -> None:
        self.engine, self.config, self.directory = engine, config, directory
        self._front_end = FrontEnd(config.frontend, cmvn)

    def segments(
        self,
        audio: Source,
        sample_rate: int | None = None,
        max_end_silence_ms: int | None = None,
        *,
        channel: int | None = None,
        profile: str = "classic",
        **options: Any,
    ) -> list[tuple[int, int]]:
        """Stretches of speech of one input as (start_ms, end_ms), in order.

        Args:
            audio: path, URL, bytes of a file, file object, numpy array or torch tensor (see `uniasr.audio.load`).
            sample_rate: of an array; files state theirs.
            max_end_silence_ms: silence that ends a segment, in place of the model's.
            channel: take this channel instead of the mix of all.
            profile: "classic" waits equally long for every end, "dynamic" the less the longer a segment is.
            options: the fields of VadOptions, under their published names.

        Raises AudioError for unusable audio, OptionError for options that do not exist or make no sense.
        """
        parts = blocks(audio, sample_rate=sample_rate, channel=channel)
        return list(self.iterate(parts, max_end_silence_ms=max_end_silence_ms, profile=profile, **options))

    def iterate(
        self,
        parts: Iterable[Waveform],
        max_end_silence_ms: int | None = None,
        *,
        profile: str = "classic",
        **options: Any,
    ) -> Iterator[tuple[int, int]]:
        """The same for audio that comes block by block (`uniasr.audio.load.blocks`), each segment once it has ended.

        Memory does not grow with the audio.
        """
        detector = self._detector(max_end_silence_ms, profile, options)
        return self._incremental(parts, detector)

    def attempt(
        self,
        audios: Iterable[Source],
        max_end_silence_ms: int | None = None,
        *,
        sample_rate: int | None = None,
        channel: int | None = None,
        profile: str = "classic",
        **options: Any,
    ) -> Iterator[list[tuple[int, int]] | UniasrError]:
        """Segments of many inputs in order, several worked on together; one that fails yields its error.

        Arguments as in `segments`; each result is the same as alone.
        """
        check_many(audios)
        detector = self._detector(max_end_silence_ms, profile, options)
        sources = (blocks(audio, sample_rate=sample_rate, channel=channel) for audio in audios)
        return self._run(sources, detector)

    def speech_probabilities(self, audio: Source, sample_rate: int | None = None, *, channel: int | None = None) -> F64:
        """What the network thinks of every frame [T], 10 ms apart: 1 minus the probability of silence."""
        recorder = _Recorder(self.config.options)
        for _ in self._incremental(blocks(audio, sample_rate=sample_rate, channel=channel), recorder):
            pass
        return 1.0 - np.array(recorder.silence)

    def stream(
        self,
        sample_rate: int = 16_000,
        max_end_silence_ms: int | None = None,
        *,
        channels: int = 1,
        profile: str = "classic",
        **options: Any,
    ) -> VadStream:
        """Open a stream; use it in a `with` block.

        Args:
            sample_rate: of the packets; any rate.
            max_end_silence_ms: as in `segments`, like the other options.
            channels: interleaved channels of the packets.
            profile: as in `segments`.
            options: as in `segments`.
        """
        detector = self._detector(max_end_silence_ms, profile, options)
        session = self.session(sample_rate, detector)
        return VadStream(self.engine, session, PcmDecoder(channels), sample_rate)

    def session(self, sample_rate: int, detector: Detector | None = None) -> Session:
        """A session for `advance`, which steps many of them together."""
        return Session(self._front_end, detector or Detector(self.config.options), self.config, sample_rate)

    def _detector(self, max_end_silence_ms: int | None, profile: str, changes: dict[str, Any]) -> Detector:
        if profile not in tuple(PROFILES):
            raise OptionError(f"profile is {profile!r:.80}; choose one of {', '.join(PROFILES)}")
        if max_end_silence_ms is not None:
            if not (isinstance(max_end_silence_ms, int) and is_number(max_end_silence_ms) and max_end_silence_ms >= 0):
                raise OptionError(
                    f"max_end_silence_ms is {max_end_silence_ms!r:.80}; give whole milliseconds from 0 to "
                    f"{MOST_NUMBER:.0e}"
                )
            if "silence_schedule" in PROFILES[profile] or "silence_schedule" in changes:
                raise OptionError(
                    "max_end_silence_ms fixes what a silence schedule (profile 'dynamic') changes; give one of them"
                )
            if "max_end_silence_time" in changes:
                raise OptionError("max_end_silence_ms and max_end_silence_time mean the same; give one of them")
            changes = {**changes, "max_end_silence_time": max_end_silence_ms, "silence_schedule": ()}
        if "sil_pdf_ids" in changes:
            raise OptionError("sil_pdf_ids belongs to the network; it cannot be chosen for a call")
        return Detector(self.config.options.with_changes({**PROFILES[profile], **changes}))

    def _incremental(self, parts: Iterable[Waveform], detector: Detector) -> Iterator[tuple[int, int]]:
        session: Session | None = None
        for part in parts:
            session = session or self.session(part.sample_rate_hz, detector)
            session.feed(part.samples)
            advance(self.engine, [session])
            yield from session.closed()
        if session is not None:
            session.end()
            advance(self.engine, [session])
            yield from session.closed()

    def _run(
        self, sources: Iterable[Iterator[Waveform]], detector: Detector
    ) -> Iterator[list[tuple[int, int]] | UniasrError]:
        family = Family(
            open=lambda rate: self.session(rate, detector),
            advance=lambda sessions: advance(self.engine, sessions),
            parts=Session.closed,
            result=lambda session, segments: segments,
        )
        return together(sources, family, BATCH)


class _Recorder(Detector):
    """Remembers what it is told."""

    def __init__(self, options: VadOptions) -> None:
        super().__init__(options)
        self.silence: list[float] = []

    def step(self, state: DetectorState, silence: float, level_db: float) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """The same as its parent's."""
        self.silence.append(silence)
        return super().step(state, silence, level_db)

    def quiet(self, state: DetectorState, count: int) -> tuple[DetectorState, tuple[Boundary, ...]]:
        """Frames that nobody is interested in but in their number."""
        self.silence.extend([1.0] * count)
        return state, ()


@dataclass(slots=True)
class VadStream:
    """A live input: packets in, events out. Not for use from several threads at once."""

    engine: Engine
    session: Session
    decoder: PcmDecoder
    sample_rate_hz: int

    def accept(self, packet: Any) -> list[list[int]]:
        """What becomes certain with this packet, in milliseconds.

        Args:
            packet: bytes of interleaved 16-bit little-endian samples of any length, or an array of floats in [-1, 1]
                or integers.

        Returns:
            [[start, -1]] where speech begins, [[-1, end]] where the open segment ends, [[start, end]] for both, [] for
            nothing new; several of them when more has happened, in order.

        Raises AudioError for values that no recording has.
        """
        if self.session.ended:
            raise AudioError("this stream has been finished; open another one for more audio")
        samples = self.decoder.decode(packet)
        for piece in pieces(samples, self.sample_rate_hz):
            self.session.feed(piece)
            advance(self.engine, [self.session])
        return self._events()

    def finish(self) -> list[list[int]]:
        """The remaining events; the audio is complete, and an open segment ends with it."""
        self.decoder.finish()
        if not self.session.ended:
            self.session.end()
            advance(self.engine, [self.session])
        return self._events()

    @property
    def settled_ms(self) -> int:
        """Audio before this belongs to no segment but those that have been told: it may be forgotten."""
        return self.session.settled_ms

    def _events(self) -> list[list[int]]:
        return [list(event) for event in joined(self.session.drain())]

    def __enter__(self) -> VadStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release: a stream owns arrays only."""
