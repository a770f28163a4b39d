"""The values that go in and out of the public interface: options, tokens, segments, transcripts, events.

Times are integer milliseconds from the start of the audio. Nothing here knows a model family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from os import PathLike
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from uniasr.errors import OptionError

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I64: TypeAlias = npt.NDArray[np.int64]
Bool: TypeAlias = npt.NDArray[np.bool_]

Mode: TypeAlias = Literal["fast", "normal", "offline"]
MODES: tuple[Mode, ...] = ("fast", "normal", "offline")


MOST_HYPOTHESES = 1000
"""Memory and work grow with the beam, whether its hypotheses live or not."""


MOST_NUMBER = 1e9
"""Of milliseconds, weights and the like: what is larger is a mistake, and overflows in sums."""


def is_number(value: object) -> bool:
    """Whether the value is a number that an option can have."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRule:
    """Ends an utterance that has all of this. Raises OptionError for a rule that would end one at once."""

    name: str
    silence_ms: float = 0.0
    """Silence since the last row with speech, or since the start where none had any."""
    length_ms: float = 0.0
    """Length of the utterance, silence included."""
    after_speech: bool = False
    """Whether there must have been speech."""

    def __post_init__(self) -> None:
        for field in ("silence_ms", "length_ms"):
            value = getattr(self, field)
            if not (is_number(value) and value >= 0):
                raise OptionError(
                    f"{field} of the endpoint rule {self.name!r:.80} is {value!r:.80}; give milliseconds from 0 to "
                    f"{MOST_NUMBER:.0e}"
                )
        if not self.silence_ms and not self.length_ms:
            raise OptionError(f"the endpoint rule {self.name!r} asks for no silence and no length; give one of them")


ENDPOINT_RULES = (
    EndpointRule(name="silence after speech", silence_ms=1200.0, after_speech=True),
    EndpointRule(name="silence before speech", silence_ms=5000.0),
    EndpointRule(name="length", length_ms=20_000.0),
)
"""For live input whose sentences should end soon (`uniasr stream --endpoint`).

Kaldi waits 2 s after speech; text that is not shown while a speaker waits for an answer seems lost.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodingOptions:
    """How one call searches. Raises OptionError when a value makes no sense."""

    beam_size: int = 5
    """Hypotheses kept per utterance; 1 is greedy search. A model, and a mode of it, may have another default."""
    nbest: int = 1
    """Most hypotheses returned per segment, each once; at most `beam_size` in a gated search."""
    search: Literal["gated", "reference"] = "gated"
    """When a hypothesis may end: near the number of fired tokens, or as the published system does."""
    token_num_relax: int = 5
    """Reference search only: steps allowed beyond the predicted number of tokens."""
    penalty: float = 0.0
    """Added to the score of a hypothesis for each of its tokens."""
    length_norm: float = 0.0
    """Final scores are compared after division by length ** length_norm; 0 compares plain sums."""
    segment_s: float = 20.0
    """A segment of at least this length closes at the next pause (gated search only); a model may have another
    default."""
    pause_s: float = 0.6
    """What counts as a pause: so long without a token. A model may have another default."""
    max_segment_s: float = 60.0
    """A segment closes with the row that reaches beyond this at the latest (gated search only)."""
    endpoint: tuple[EndpointRule, ...] | None = None
    """Rules that close a segment in place of these three, such as ENDPOINT_RULES (gated
    search only)."""
    refresh_ms: float | None = None
    """Normal mode: least time between two refreshes of a segment; None refreshes with every chunk of pass 2."""
    hotwords: str | PathLike[str] | Mapping[str, float] | Iterable[str] | None = None
    """Words to listen for: a file, words with weights, or words (docs/hotwords.md)."""
    lm: str | PathLike[str] | None = None
    """A language model over the recogniser's tokens: a file, a directory or a name (docs/language-models.md), or
    "none". None takes the one that the model names."""
    lm_weight: float = 0.3
    """Of the language model's log-probabilities. A model may have another default."""
    output: Literal["kana", "written"] | None = None
    """What a recogniser of kana writes: kana as they sound, or kanji and kana (docs/written-japanese.md). None leaves
    it to the model."""
    converter: str | PathLike[str] | None = None
    """What writes kana as kanji, and judges by its model of words which hypothesis makes most sense: a directory, a
    name, or "none". None takes the one that the model names."""
    converter_weight: float = 0.4
    """Of the converter's log-probabilities in the choice among the hypotheses of a segment. A model may have another
    default."""

    def __post_init__(self) -> None:
        for name in ("beam_size", "nbest"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_HYPOTHESES:
                raise OptionError(f"{name} is {value!r:.80}; it must be a whole number from 1 to {MOST_HYPOTHESES}")
        if self.search not in ("gated", "reference"):
            raise OptionError(f"search is {self.search!r:.80}; choose 'gated' or 'reference'")
        if self.output not in (None, "kana", "written"):
            raise OptionError(f"output is {self.output!r:.80}; choose 'kana' or 'written', or None for the model's own")
        if not isinstance(self.token_num_relax, int):
            raise OptionError(f"token_num_relax is {self.token_num_relax!r:.80}; it must be a whole number")
        for name in ("penalty", "length_norm", "lm_weight", "converter_weight"):
            if not is_number(getattr(self, name)):
                raise OptionError(
                    f"{name} is {getattr(self, name)!r:.80}; it must be a number of at most {MOST_NUMBER:.0e}"
                )
        for name in ("segment_s", "pause_s", "max_segment_s"):
            if not (is_number(value := getattr(self, name)) and 0 < value <= MOST_NUMBER / 1000):
                most = MOST_NUMBER / 1000
                raise OptionError(f"{name} is {value!r:.80}; give a positive number of seconds, at most {most:.0e}")
        rules = self.endpoint
        if rules is not None and not (
            isinstance(rules, tuple | list) and rules and all(isinstance(rule, EndpointRule) for rule in rules)
        ):
            raise OptionError(f"endpoint is {rules!r:.80}; give a tuple of EndpointRule, or None")
        if self.refresh_ms is not None and not (is_number(self.refresh_ms) and self.refresh_ms > 0):
            raise OptionError(f"refresh_ms is {self.refresh_ms!r:.80}; give a positive number of milliseconds or None")

    def with_changes(self, changes: Mapping[str, Any]) -> DecodingOptions:
        """These options with some fields changed; an unknown name raises OptionError."""
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise OptionError(f"unknown option {name!r}; the options are {', '.join(known)}")
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Token:
    """One recognised token with its place in the audio and how probably it is right (docs/confidence.md)."""

    text: str
    id: int
    start_ms: int
    end_ms: int
    confidence: float
    reading: str | None = None
    """The recogniser's tokens that a converted one was made from."""


def mean_confidence(tokens: Iterable[Token]) -> float:
    """The mean confidence of tokens, each counted as often as it has characters; 0.0 without any."""
    weighted = [(len(token.text), token.confidence) for token in tokens]
    return sum(size * confidence for size, confidence in weighted) / max(1, sum(size for size, _ in weighted))


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One result of the search: ids without blank, start and end marks, and the sum of log-probabilities."""

    token_ids: tuple[int, ...]
    score: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class HotwordMatch:
    """A hotword in the text of a segment."""

    word: str
    """As it was given, in written form."""
    start_ms: int
    end_ms: int
    segment: int
    """Index of the segment."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed stretch of audio that was decoded on its own."""

    index: int
    start_ms: int
    end_ms: int
    text: str
    tokens: tuple[Token, ...]
    nbest: tuple[Hypothesis, ...]
    hotwords: tuple[HotwordMatch, ...] = ()
    """The hotwords of the request that the text holds, by their ends."""

    @property
    def confidence(self) -> float:
        """How much of the text is right, as `Transcript.confidence`."""
        return mean_confidence(self.tokens)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The result for one input."""

    text: str
    segments: tuple[Segment, ...]
    duration_ms: int

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of all segments in order."""
        return tuple(token for segment in self.segments for token in segment.tokens)

    @property
    def confidence(self) -> float:
        """The mean confidence of the tokens by their characters, in 0 to 1; 0.0 without tokens.

        It estimates how much of the text is right as far as the confidences are calibrated; words that were missed
        are not in it (docs/confidence.md).
        """
        return mean_confidence(self.tokens)

    @property
    def hotwords(self) -> tuple[HotwordMatch, ...]:
        """The hotwords of all segments in order."""
        return tuple(match for segment in self.segments for match in segment.hotwords)

    @property
    def nbest(self) -> tuple[Hypothesis, ...]:
        """Hypotheses for the whole input.

        One segment: its n-best list. Several: one hypothesis, the best ones joined, with their scores
        added; the alternatives of each segment are in `segments[i].nbest`. Where nobody speaks: one without tokens.
        """
        if len(self.segments) == 1 and self.segments[0].nbest:
            return self.segments[0].nbest
        best = [segment.nbest[0] for segment in self.segments if segment.nbest]
        ids = tuple(i for hypothesis in best for i in hypothesis.token_ids)
        return (Hypothesis(ids, sum(hypothesis.score for hypothesis in best), self.text),)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts, strings and numbers, ready for JSON."""
        plain = asdict(self) | {"confidence": self.confidence}
        for segment, one in zip(plain["segments"], self.segments, strict=True):
            segment["confidence"] = one.confidence
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Transcript:
        """The transcript that `to_dict` made plain. Raises KeyError and TypeError for anything else."""
        segments = tuple(_segment(**segment) for segment in plain["segments"])
        return cls(plain["text"], segments, plain["duration_ms"])


def _segment(
    tokens: Iterable[Mapping[str, Any]],
    nbest: Iterable[Mapping[str, Any]],
    hotwords: Iterable[Mapping[str, Any]],
    confidence: float | None = None,  # follows from the tokens
    **entries: Any,
) -> Segment:
    return Segment(
        tokens=tuple(Token(**token) for token in tokens),
        nbest=tuple(Hypothesis(tuple(one["token_ids"]), one["score"], one["text"]) for one in nbest),
        hotwords=tuple(HotwordMatch(**match) for match in hotwords),
        **entries,
    )


@dataclass(frozen=True, slots=True)
class Partial:
    """Text so far of the open segment."""

    segment: int
    text: str
    tokens: tuple[Token, ...]
    audio_ms: int
    """End of the audio that this text covers."""
    stable: int
    """Leading tokens of this segment whose id, text, times and confidence never change again; never fewer than in an
    event before."""


@dataclass(frozen=True, slots=True)
class Refresh(Partial):
    """Text so far in which the second pass has just corrected the beginning (normal mode)."""


@dataclass(frozen=True, slots=True)
class Final(Partial):
    """Closes its segment; `result` is the same Segment that a file's Transcript holds."""

    result: Segment


Event: TypeAlias = Partial | Refresh | Final


@dataclass(frozen=True, slots=True)
class Latency:
    """What one trained chunk configuration means for the wait, in milliseconds."""

    index: int
    pass_number: int
    emit_interval_ms: int
    """Audio between two results."""
    look_ahead_ms: int
    """Audio that a result needs beyond the part it speaks of."""
    worst_case_delay_ms: int
    """End of the audio that a chunk needs minus the start of the first row it emits."""
