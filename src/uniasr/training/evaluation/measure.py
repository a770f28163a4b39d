"""Running a model over a set of recordings with transcripts, in one mode at one latency at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from uniasr.audio.load import load
from uniasr.errors import OptionError
from uniasr.recognizers.uniasr.latency import choose
from uniasr.training.data.manifest import Entry
from uniasr.training.evaluation.errors import Counts, Edit, align, count, interval
from uniasr.training.evaluation.units import (
    Reader,
    characters,
    find_reader,
    has_words,
    kana_only,
    reading,
    words,
)
from uniasr.types import MODES, Event, Final

if TYPE_CHECKING:
    from uniasr.recognizers.uniasr import Uniasr

PACKET_MS = 100
READINGS = "kCER"
"""The rate over katakana of the readings."""

Units = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Score:
    """An error rate of a whole set."""

    name: str
    """CER, WER or kCER (of readings)."""
    counts: Counts
    low: float
    high: float
    """Bounds of the 95 % bootstrap interval."""


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a listener waits, in milliseconds of audio: median and 90th percentile over utterances."""

    first_text: tuple[float, float]
    """From the start of the first token to the first text."""
    final_text: tuple[float, float]
    """From the end of a segment's last token until it never changes again; the end of the audio ends the wait."""


@dataclass(frozen=True, slots=True)
class AlignedTexts:
    """One recording: both texts, and their alignment in the first score's units."""

    key: str
    reference: str
    hypothesis: str
    edits: tuple[Edit, ...]


@dataclass(slots=True)
class Outcome:
    """What one mode at one latency gives on a set."""

    mode: str
    latency: int
    scores: list[Score] = field(default_factory=list)
    utterances: list[AlignedTexts] = field(default_factory=list)
    rtf: float = 0.0
    """Seconds of work per second of audio, files in batches."""
    delays: Delays | None = None

    def to_dict(self) -> dict[str, Any]:
        """Numbers without the utterances, ready for json."""
        scores = {
            score.name: {
                "rate": score.counts.rate,
                "interval": [score.low, score.high],
                "substitutions": score.counts.substitutions,
                "insertions": score.counts.insertions,
                "deletions": score.counts.deletions,
                "length": score.counts.length,
            }
            for score in self.scores
        }
        delays = self.delays and {"first_ms": self.delays.first_text, "final_ms": self.delays.final_text}
        return {"mode": self.mode, "latency": self.latency, "rtf": self.rtf, "delays": delays, **scores}


def plan(model: Uniasr, modes: Sequence[str], latency: str | None) -> list[tuple[str, int]]:
    """Pairs of mode and latency: every trained one with "all", the modes' defaults with None, or one index."""
    if unknown := [mode for mode in modes if mode not in MODES]:
        raise OptionError(f"mode is {unknown[0]!r:.80}; choose from {', '.join(MODES)}")
    number = model.config.num_latencies
    if latency is None:
        return [(mode, model.config.modes[mode].latency) for mode in modes]
    if latency == "all":
        return [(mode, index) for mode in modes for index in range(number)]
    chosen = [part.strip() for part in latency.split(",")]
    indexes = [str(index) for index in range(number)]
    if not all(part in indexes for part in chosen):
        raise OptionError(f"latency is {latency!r:.80}; give 'all' or indexes from 0 to {number - 1}")
    return [(mode, int(part)) for mode in modes for part in chosen]


def units_for(references: Sequence[str], *, readings: bool | None = None) -> dict[str, Units]:
    """What is counted for these references, by name of the rate, the main one first.

    Words if some script among them has blanks, characters always, readings of Japanese if asked for, or, with None,
    if all is kana or there is a dictionary to read kanji with.
    """
    found: dict[str, Units] = {}
    if any(map(has_words, references)):
        found["WER"] = words
    found["CER"] = characters
    japanese = any("ぁ" <= char <= "ヺ" for text in references for char in text)
    if readings or (readings is None and japanese):
        plain = all(map(kana_only, references))
        reader: Reader | None = None
        try:
            reader = find_reader()
        except ImportError:
            if not plain and readings:
                raise
        if reader is not None or plain:
            found[READINGS] = partial(reading, reader=reader)
    return found


def score(
    references: Sequence[str], hypotheses: Sequence[str], units: dict[str, Units], sounds: Sequence[str] | None = None
) -> list[Score]:
    """Every rate of a set with its interval; `sounds` are the hypotheses as the recogniser heard them, in kana."""
    scores = []
    for name, cut in units.items():
        compared = sounds if name == READINGS and sounds is not None else hypotheses
        counts = [count(align(cut(said), cut(heard))) for said, heard in zip(references, compared, strict=True)]
        scores.append(Score(name, sum(counts, Counts()), *interval(counts)))
    return scores


def measure(
    model: Uniasr,
    entries: Sequence[Entry],
    mode: str,
    latency: int,
    *,
    units: dict[str, Units],
    delays: bool = True,
    known: Iterable[Outcome] = (),
    **options: Any,
) -> Outcome:
    """Recognise a set as files, and once more as streams if delays are wanted. Raises AudioError.

    `known` are outcomes of the same set and options: modes that run the same passes on files (`normal` and `offline` at
    one latency) need not recognise them again.
    """
    outcome = next((replace(one, mode=mode) for one in known if _equal_in_files(model, one, mode, latency)), None)
    if outcome is None:
        outcome = _recognised(model, entries, mode, latency, units, options)
    outcome.delays = _delays(model, [entry.audio for entry in entries], mode, latency, options) if delays else None
    return outcome


def _equal_in_files(model: Uniasr, outcome: Outcome, mode: str, latency: int) -> bool:
    first, second = (
        (choose(model.config, name, number), model.config.beam_of(name))
        for name, number in ((outcome.mode, outcome.latency), (mode, latency))
    )
    return first == second


def _recognised(
    model: Uniasr, entries: Sequence[Entry], mode: str, latency: int, units: dict[str, Units], options: dict[str, Any]
) -> Outcome:
    started = time.perf_counter()
    sources = [entry.audio for entry in entries]
    transcripts = model.transcribe_batch(sources, mode=mode, latency=latency, **options)
    worked = time.perf_counter() - started
    seconds = sum(transcript.duration_ms for transcript in transcripts) / 1000
    outcome = Outcome(mode, latency, rtf=worked / max(seconds, 1e-9))
    references, hypotheses = [entry.text for entry in entries], [transcript.text for transcript in transcripts]
    sounds = ["".join(token.reading or token.text for token in transcript.tokens) for transcript in transcripts]
    outcome.scores = score(references, hypotheses, units, sounds)
    main = next(iter(units.values()))
    for entry, heard in zip(entries, hypotheses, strict=True):
        edits = tuple(align(main(entry.text), main(heard)))
        outcome.utterances.append(AlignedTexts(entry.key, entry.text, heard, edits))
    return outcome


def _delays(model: Uniasr, sources: Sequence[str], mode: str, latency: int, options: dict[str, Any]) -> Delays:
    first: list[float] = []
    final: list[float] = []
    for source in sources:
        timed = list(_streamed(model, source, mode, latency, options))
        shown = next(((heard, event.tokens[0].start_ms) for heard, event in timed if event.tokens), None)
        if shown is not None:
            first.append(shown[0] - shown[1])
        final.extend(_waits(timed))
    return Delays(_spread(first), _spread(final))


def _streamed(
    model: Uniasr, source: str, mode: str, latency: int, options: dict[str, Any]
) -> Iterator[tuple[float, Event]]:
    """Events with the audio that had come by then, in ms."""
    audio = load(source)
    step = audio.sample_rate_hz * PACKET_MS // 1000
    with model.stream(mode, latency, audio.sample_rate_hz, **options) as stream:
        for start in range(0, len(audio.samples), step):
            packet = audio.samples[start : start + step]
            heard = (start + len(packet)) * 1000 / audio.sample_rate_hz
            yield from ((heard, event) for event in stream.accept(packet))
        heard = len(audio.samples) * 1000 / audio.sample_rate_hz
        yield from ((heard, event) for event in stream.finish())


def _waits(timed: Sequence[tuple[float, Event]]) -> Iterator[float]:
    """For each segment with text: from the end of its last token until that token was stable."""
    for _, event in timed:
        if isinstance(event, Final) and event.result.tokens:
            number = len(event.result.tokens)
            settled = min(
                heard
                for heard, earlier in timed
                if earlier.segment == event.segment and (earlier.stable >= number or earlier is event)
            )
            yield max(0.0, settled - event.result.tokens[-1].end_ms)


def _spread(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 0.0
    return float(np.median(values)), float(np.quantile(values, 0.9))
