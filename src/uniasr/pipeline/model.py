"""The pipeline as users meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from uniasr.audio.load import Source, blocks, check_many
from uniasr.audio.pcm import PcmDecoder
from uniasr.errors import OptionError, UniasrError
from uniasr.pipeline.files import Memory, Recording, recognised
from uniasr.pipeline.finish import Finisher, transcript_of
from uniasr.pipeline.parts import ItnFunction, Name, Recogniser, converter, detector, owed, punctuator, recogniser
from uniasr.pipeline.speech import SpeechCutter
from uniasr.pipeline.stream import PipelineStream
from uniasr.recognizers.punctuation import Punctuator
from uniasr.recognizers.together import raising
from uniasr.recognizers.vad import Vad
from uniasr.text.hotwords import read_hotwords
from uniasr.types import MOST_NUMBER, Segment, Transcript


class Pipeline:
    """A recogniser with what stands around it. Each part is loaded, a name, or None for a part that is absent.

    Args:
        asr: the recogniser; None means the packaged Japanese model.
        vad: finds speech, so that silence costs little and long recordings are cut where nobody speaks.
        punctuation: puts marks.
        itn: writes numbers with digits, except in hotwords: the code of a language, or a function from text to text or
            to `uniasr.text.Normalized`, which also says where every part comes from; what it does to hotwords is its
            own affair.
        device, backend, threads: of parts that are given by name, as in `uniasr.load_model`.

    Immutable; safe to use from many threads.
    """

    def __init__(
        self,
        asr: Recogniser | Name | None = None,
        vad: Vad | Name | None = None,
        punctuation: Punctuator | Name | None = None,
        itn: ItnFunction | str | None = None,
        *,
        device: str = "cpu",
        backend: str = "auto",
        threads: int | None = None,
    ) -> None:
        runtime = (device, backend, threads)
        self.asr = recogniser(asr, *runtime)
        self.vad = detector(vad, *runtime)
        self.punctuation = punctuator(punctuation, *runtime)
        self.itn = converter(itn)

    def transcribe(
        self,
        audio: Source,
        sample_rate: int | None = None,
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        channel: int | None = None,
        max_end_silence_ms: int | None = None,
        merge_s: float = 0.0,
        **options: Any,
    ) -> Transcript:
        """Recognise one input.

        Args:
            audio: as in `Uniasr.transcribe`.
            sample_rate: as there.
            mode: as there.
            latency: as there.
            channel: as there.
            max_end_silence_ms: silence that ends a stretch of speech, in place of the detector's.
            merge_s: stretches are joined, with the pauses between them, while they last at most this long.
            options: the fields of DecodingOptions; `max_segment_s` also cuts stretches that are longer. And for this
                call `punctuation` and `itn`: True is the pipeline's own part, as if nothing was said, False or None is
                no such part, and anything else that the pipeline would take stands in its place.

        Raises AudioError for unusable audio, OptionError for options that do not exist, or that need an absent part.
        """
        keywords = {"max_end_silence_ms": max_end_silence_ms, "merge_s": merge_s, **options}
        outcomes = self.attempt([audio], mode, latency, sample_rate=sample_rate, channel=channel, **keywords)
        (transcript,) = raising(outcomes)
        return transcript

    def transcribe_batch(
        self,
        audios: Sequence[Source],
        sample_rate: int | None = None,
        mode: str = "offline",
        latency: int | str | None = None,
        **keywords: Any,
    ) -> list[Transcript]:
        """Recognise several inputs together; each result is the same as alone. Arguments as in `transcribe`."""
        return list(raising(self.attempt(audios, mode, latency, sample_rate=sample_rate, **keywords)))

    def attempt(
        self,
        audios: Iterable[Source],
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        sample_rate: int | None = None,
        channel: int | None = None,
        max_end_silence_ms: int | None = None,
        merge_s: float = 0.0,
        memory: Callable[[int], Memory | None] = lambda number: None,
        **options: Any,
    ) -> Iterator[Transcript | UniasrError]:
        """Recognise many inputs; one that fails yields its error in its place and does not stop the others.

        `memory` gives, by the number of an input, what an interrupted run remembers of it; only with a detector.
        """
        finisher, options = self._finisher(options)
        call = {"mode": mode, "latency": latency, **_with_words(options)}
        list(self.asr.attempt([], **call))  # wrong options raise before any work
        check_many(audios)
        if self.vad is None:
            self._need_no_vad(max_end_silence_ms, merge_s)
            outcomes = owed(self.asr, audios, sample_rate=sample_rate, channel=channel, **call)
            return (one if isinstance(one, UniasrError) else finisher.whole(one) for one in outcomes)
        numbers = iter(range(2**63))
        work = recognised(
            (blocks(audio, sample_rate=sample_rate, channel=channel) for audio in audios),
            self._cutter(max_end_silence_ms, merge_s, options.get("max_segment_s")),
            self.asr,
            lambda: Recording(finisher.recording(), memory(next(numbers))),
            call,
        )
        return _outcomes(work)

    def segments(
        self,
        audio: Source,
        sample_rate: int | None = None,
        mode: str = "offline",
        latency: int | str | None = None,
        *,
        channel: int | None = None,
        max_end_silence_ms: int | None = None,
        merge_s: float = 0.0,
        **options: Any,
    ) -> Iterator[Segment]:
        """The segments of one long recording, each as soon as it is known; memory does not grow with its length.

        Needs a detector. Arguments and errors as in `transcribe`.
        """
        if self.vad is None:
            raise OptionError("segments come one by one only with a voice activity detector; give the pipeline a vad")
        finisher, options = self._finisher(options)
        call = {"mode": mode, "latency": latency, **_with_words(options)}
        list(self.asr.attempt([], **call))
        cutter = self._cutter(max_end_silence_ms, merge_s, options.get("max_segment_s"))
        source = blocks(audio, sample_rate=sample_rate, channel=channel)
        return _segments(recognised([source], cutter, self.asr, lambda: Recording(finisher.recording()), call))

    def stream(
        self,
        mode: str = "normal",
        latency: int | str | None = None,
        sample_rate: int = 16_000,
        channels: int = 1,
        *,
        max_end_silence_ms: int | None = None,
        **options: Any,
    ) -> PipelineStream:
        """Open a stream; its finals are the segments of `transcribe` of the same audio, mode and options, but marks.

        A final is given out at once, so its marks are chosen without the words that follow. Open text has marks and
        digits too, of which none is stable. Arguments as in `Uniasr.stream`; `max_end_silence_ms`, `punctuation` and
        `itn` as in `transcribe`.
        """
        if self.vad is None:
            self._need_no_vad(max_end_silence_ms, 0.0)
        if not callable(getattr(self.asr, "stream", None)):
            raise OptionError(f"asr is a {type(self.asr).__name__} without streams; transcribe, or give another one")
        finisher, options = self._finisher(options)
        options = _with_words(options)
        open_recognition = partial(self.asr.stream, mode, latency, sample_rate, 1, **options)
        open_recognition()  # wrong options raise before any audio
        vad = None
        if self.vad is not None:
            changes = _vad_changes(self.vad, options.get("max_segment_s"))
            session = self.vad.stream(sample_rate, max_end_silence_ms, **changes).session
            vad = (self.vad.engine, session)
        decoder, hotwords = PcmDecoder(channels), options.get("hotwords")
        return PipelineStream(open_recognition, finisher, decoder, sample_rate, vad, hotwords)

    def _finisher(self, options: dict[str, Any]) -> tuple[Finisher, dict[str, Any]]:
        """What a call does to words, and its other options."""
        others = dict(options)
        punctuation, itn = others.pop("punctuation", True), others.pop("itn", True)
        finisher = Finisher(
            self.punctuation if punctuation is True else punctuator(None if punctuation is False else punctuation),
            self.itn if itn is True else converter(None if itn is False else itn),
        )
        return finisher, others

    def _cutter(
        self, max_end_silence_ms: int | None, merge_s: float, max_segment_s: float | None
    ) -> Callable[[int], SpeechCutter]:
        vad = self.vad
        assert vad is not None
        if not isinstance(merge_s, int | float) or not 0 <= merge_s <= 60:
            raise OptionError(f"merge_s is {merge_s!r:.80}; give seconds from 0 to 60")
        changes, merge_ms = _vad_changes(vad, max_segment_s), round(merge_s * 1000)
        vad.stream(max_end_silence_ms=max_end_silence_ms, **changes)  # wrong options raise before any work
        return lambda rate: SpeechCutter(vad, vad.stream(rate, max_end_silence_ms, **changes).session, rate, merge_ms)

    def _need_no_vad(self, max_end_silence_ms: int | None, merge_s: float) -> None:
        if max_end_silence_ms is not None or merge_s:
            raise OptionError("max_end_silence_ms and merge_s need a voice activity detector; name one as vad (--vad)")


def _with_words(options: dict[str, Any]) -> dict[str, Any]:
    """Options with hotwords that have been read: the recogniser is called again and again, and each time with them.

    A file may have changed by then, and what is made as it is read can be read only once.
    """
    words = options.get("hotwords")
    return options if words is None else {**options, "hotwords": read_hotwords(words)}


def _vad_changes(vad: Vad, max_segment_s: float | None) -> dict[str, Any]:
    changes = vad.config.for_recognition
    if max_segment_s is not None:
        changes["max_single_segment_time"] = min(int(MOST_NUMBER), max(1, round(max_segment_s * 1000)))
    return changes


def _outcomes(work: Iterator[Recording]) -> Iterator[Transcript | UniasrError]:
    """A transcript or an error for each recording, in order."""
    segments: list[Segment] = []
    for recording in work:
        segments.extend(recording.take())
        if recording.done:
            yield recording.error or transcript_of(segments, recording.duration_ms)
            segments = []


def _segments(work: Iterator[Recording]) -> Iterator[Segment]:
    for recording in work:
        yield from recording.take()
        if recording.error is not None:
            raise recording.error
