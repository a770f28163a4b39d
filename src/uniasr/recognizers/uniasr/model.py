"""UniASR as users meet it: files, batches and streams, all through `driver.advance`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from uniasr.audio.inputs import read_scp
from uniasr.audio.load import Source, blocks, check_many
from uniasr.audio.pcm import PcmDecoder, pieces
from uniasr.configs.uniasr import UniasrConfig
from uniasr.decoding.beam import Scorers
from uniasr.engines.base import Engine
from uniasr.errors import AudioError, UniasrError
from uniasr.features.cmvn import Cmvn
from uniasr.features.frontend import FrontEnd
from uniasr.recognizers.biasing import hotword_scorer
from uniasr.recognizers.language_models import lm_of_call
from uniasr.recognizers.together import Family, raising, together
from uniasr.recognizers.uniasr.driver import advance
from uniasr.recognizers.uniasr.latency import choose, latencies
from uniasr.recognizers.uniasr.segments import text_of
from uniasr.recognizers.uniasr.session import Session
from uniasr.recognizers.written import conversion
from uniasr.text.hotwords import Hotwords, read_hotwords
from uniasr.text.vocabulary import Vocabulary
from uniasr.types import DecodingOptions, Event, Final, Latency, Segment, Transcript

GRAPHS = ("encoder", "memory", "decoder", "bridge", "encoder2", "memory2", "decoder2")
"""The graphs that a model directory must have (docs/graphs.md)."""
CTC_GRAPHS = ("ctc", "ctc2")
"""Those that it must have besides where its CTC heads serve at run time."""
OWN_DEFAULTS = ("converter_weight", "lm_weight", "segment_s", "pause_s")
"""Fields of `DecodingOptions` whose defaults are the model's; that of `beam_size` depends on the mode, too."""


def graphs_of(config: UniasrConfig) -> tuple[str, ...]:
    """All graphs that a model needs."""
    return GRAPHS + CTC_GRAPHS if config.ctc_heads else GRAPHS


BATCH = 16
"""Inputs that are worked on together."""

_OpenSession: TypeAlias = Callable[[int], Session]


class Uniasr:
    """A UniASR model. Immutable: mode, latency and options belong to each call, state to each session."""

    def __init__(
        self,
        engine: Engine,
        config: UniasrConfig,
        vocabulary: Vocabulary,
        cmvn: Cmvn,
        directory: Path | None = None,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        self.engine, self.config, self.vocabulary, self.directory = engine, config, vocabulary, directory
        self.card = card or {}
        """Free entries of the model's yaml, such as the parts of a pipeline that go with it."""
        self._front_end = FrontEnd(config.frontend, cmvn)

    @property
    def latencies(self) -> tuple[Latency, ...]:
        """Every trained latency of both passes, with its delays."""
        return latencies(self.config)

    def transcribe(
        self,
        audio: Source,
        sample_rate: int | None = None,
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        channel: int | None = None,
        **options: Any,
    ) -> Transcript:
        """Recognise one input.

        Args:
            audio: path, URL, bytes of a file, file object, numpy array or torch tensor (see `uniasr.audio.load`).
            sample_rate: of an array; files state theirs.
            mode: fast, normal or offline.
            latency: index of a trained latency, or the longest delay allowed, like "900ms".
            channel: take this channel instead of the mix of all.
            options: the fields of DecodingOptions.

        Raises AudioError for unusable audio, OptionError for a mode, latency or option that does not exist.
        """
        (transcript,) = raising(self._run([audio], sample_rate, mode, latency, channel, options))
        return transcript

    def transcribe_batch(
        self,
        audios: Sequence[Source],
        sample_rate: int | None = None,
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        channel: int | None = None,
        **options: Any,
    ) -> list[Transcript]:
        """Recognise several inputs together; each result is the same as alone. Arguments as in `transcribe`."""
        return list(raising(self._run(audios, sample_rate, mode, latency, channel, options)))

    def transcribe_scp(
        self,
        path: str | Path,
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        channel: int | None = None,
        **options: Any,
    ) -> Iterator[tuple[str, Transcript]]:
        """Recognise the recordings of a Kaldi-style list `key path`; yields results in the order of the list.

        An unreadable recording raises when its turn comes; `attempt` reports it instead and goes on.
        """
        entries = read_scp(path)
        outcomes = self._run([entry.source for entry in entries], None, mode, latency, channel, options)
        for entry, transcript in zip(entries, raising(outcomes), strict=True):
            yield entry.key, transcript

    def attempt(
        self,
        audios: Iterable[Source],
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        sample_rate: int | None = None,
        channel: int | None = None,
        **options: Any,
    ) -> Iterator[Transcript | UniasrError]:
        """Recognise many inputs; an input that fails yields its error in its place and does not stop the others."""
        return self._run(audios, sample_rate, mode, latency, channel, options)

    def stream(
        self,
        mode: str = "normal",
        latency: int | str | None = None,
        sample_rate: int = 16_000,
        channels: int = 1,
        **options: Any,
    ) -> Stream:
        """Open a stream; use it in a `with` block.

        Args:
            mode: fast, normal or offline.
            latency: as in `transcribe`.
            sample_rate: of the packets; any rate.
            channels: interleaved channels of the packets.
            options: the fields of DecodingOptions.
        """
        decoder = PcmDecoder(channels)
        session = self._sessions(mode, latency, options, live=mode != "offline")(sample_rate)
        return Stream(self.engine, session, decoder, self.vocabulary)

    def _sessions(self, mode: str, latency: int | str | None, options: dict[str, Any], *, live: bool) -> _OpenSession:
        """What opens the sessions of one call, by their sample rates; wrong options raise here."""
        plans = choose(self.config, mode, latency)
        own = {name: getattr(self.config, name) for name in OWN_DEFAULTS}
        decoding = DecodingOptions(beam_size=self.config.beam_of(mode), **own).with_changes(options)
        if decoding.hotwords is not None:  # a list that is made as it is read can be read only once
            words: Any = read_hotwords(decoding.hotwords)
            decoding = replace(decoding, hotwords=words)
        scorers = Scorers(
            hotwords=hotword_scorer(decoding.hotwords, self.vocabulary),
            lm=lm_of_call(decoding, self.vocabulary, self.card, self.directory),
        )
        kana = conversion(decoding, self.vocabulary, self.card, self.directory)
        return lambda rate: Session(self._front_end, plans, self.vocabulary, decoding, rate, scorers, kana, live=live)

    def _run(
        self,
        audios: Iterable[Source],
        sample_rate: int | None,
        mode: str,
        latency: int | str | None,
        channel: int | None,
        options: dict[str, Any],
    ) -> Iterator[Transcript | UniasrError]:
        """Outcomes in order, up to BATCH inputs worked on together; wrong options raise before any work."""
        check_many(audios)
        family = Family(
            open=self._sessions(mode, latency, options, live=False),
            advance=lambda sessions: advance(self.engine, sessions),
            parts=_closed_segments,
            result=_transcript,
        )
        return together((blocks(audio, sample_rate=sample_rate, channel=channel) for audio in audios), family, BATCH)


def _closed_segments(session: Session) -> list[Segment]:
    return [event.result for event in session.drain() if isinstance(event, Final)]


def _transcript(session: Session, segments: list[Segment]) -> Transcript:
    tokens = [token for segment in segments for token in segment.tokens]
    return Transcript(text_of(tokens), tuple(segments), session.duration_ms)


@dataclass(slots=True)
class Stream:
    """A live input: packets in, events out. Not for use from several threads at once."""

    engine: Engine
    session: Session
    decoder: PcmDecoder
    vocabulary: Vocabulary

    def accept(self, packet: Any) -> list[Event]:
        """Events that become certain with this packet.

        Args:
            packet: bytes of interleaved 16-bit little-endian samples of any length, or an array of floats in [-1, 1]
                or integers.

        Raises AudioError for values that no recording has.
        """
        self._must_be_open()
        for piece in pieces(self.decoder.decode(packet), self.session.sample_rate_hz):
            self.session.feed(piece)
            advance(self.engine, [self.session])
        return self.session.drain()

    def set_hotwords(self, hotwords: Hotwords | None) -> None:
        """Listen for other words from here on, in the open segment too; None listens for none.

        The words before then stay. Kana of the open segment are written as before, since its stable words would not be
        stable otherwise. Where segments are heard again (`ja` in normal mode), the list of that time serves for all of
        the open segment. Raises OptionError as opening a stream with them does, AudioError where it has been finished.
        """
        self._must_be_open()
        self.session.set_hotwords(hotwords)

    def finish(self) -> list[Event]:
        """The remaining events; the audio is complete."""
        self.decoder.finish()
        if not self.session.ended:
            self.session.end()
            advance(self.engine, [self.session])
        return self.session.drain()

    def _must_be_open(self) -> None:
        if self.session.ended:
            raise AudioError("this stream has been finished; open another one for more audio")

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to release: a stream owns arrays only."""
