"""What a model says of its decoding besides its network: modes, confidences, and the views of doubtful segments."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from uniasr.types import MOST_HYPOTHESES

MAX_SLOPE, MAX_OFFSET = 20.0, 20.0
"""A map of confidences beyond these makes all of them 0 or 1."""
MOST_VIEWS, MOST_VIEWED = 8, 2.0
"""Ways to hear a segment once more, and by how much they may differ from the first."""


def check_beam(size: int) -> None:
    """Raise ValueError for a number of hypotheses that no search keeps."""
    if not 1 <= size <= MOST_HYPOTHESES:
        raise ValueError(f"beam_size is {size}; it must lie between 1 and {MOST_HYPOTHESES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeConfig:
    """What a mode of the public interface runs: the pass that makes its final text, and the default latency."""

    pass_number: int
    latency: int
    final_latency: int | None = None
    """Latency at which a segment is heard again once it is closed, for its final text; None: it is heard once."""
    beam_size: int | None = None
    """Default of `DecodingOptions.beam_size` in this mode; None takes the model's."""

    def __post_init__(self) -> None:
        if self.beam_size is not None:
            check_beam(self.beam_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedConfidenceConfig:
    """`ConfidenceConfig` for the tokens of a closed segment: slope * log-odds + offset - misfit * root of the misfit.

    The misfit is the cost of the segment's text by the CTC head of its pass, in nats a token.
    """

    slope: float
    offset: float
    misfit: float

    def __post_init__(self) -> None:
        _check_map(self.slope, self.offset)
        if not 0 <= self.misfit <= MAX_SLOPE:
            raise ValueError(f"confidence misfit is {self.misfit}; it must lie between 0 and {MAX_SLOPE:.0f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceConfig:
    """How the log-odds of a token's probability become those of its being right: slope * log-odds + offset.

    Source: Platt 1999, Probabilistic outputs for support vector machines. As it stands it changes nothing.
    """

    slope: float = 1.0
    offset: float = 0.0
    closed: ClosedConfidenceConfig | None = None
    """For segments of which nothing is stable before they are closed, where the pass has a CTC head."""

    def __post_init__(self) -> None:
        _check_map(self.slope, self.offset)


def _check_map(slope: float, offset: float) -> None:
    if not 0 < slope <= MAX_SLOPE:
        raise ValueError(f"confidence slope is {slope}; it must lie above 0 and up to {MAX_SLOPE:.0f}")
    if not (isfinite(offset) and abs(offset) <= MAX_OFFSET):
        raise ValueError(f"confidence offset is {offset}; it must lie within {MAX_OFFSET:.0f} of 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewConfig:
    """How the audio of a segment is heard once more."""

    speed: float = 1.0
    """So many times as fast, with a pitch as much higher."""
    warp: float = 1.0
    """What is heard at a mel frequency is what is said at so many times that (`uniasr.features.warp`)."""

    def __post_init__(self) -> None:
        for name in ("speed", "warp"):
            if not 1 / MOST_VIEWED <= (factor := getattr(self, name)) <= MOST_VIEWED:
                raise ValueError(f"{name} is {factor}; it must lie between {1 / MOST_VIEWED} and {MOST_VIEWED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtConfig:
    """When a closed segment is heard in other ways too: where the CTC head of its pass finds the text improbable."""

    views: tuple[ViewConfig, ...]
    least: float
    """Doubt, in nats per token, from which on they are asked: the negative log-probability by the head."""
    tokens: int
    """Shorter texts are not doubted: a few sounds fit some word in any view."""

    def __post_init__(self) -> None:
        if not (isfinite(self.least) and self.tokens >= 1 and len(self.views) <= MOST_VIEWS):
            raise ValueError(
                f"doubt has least {self.least}, tokens {self.tokens} and {len(self.views)} views; "
                f"give a finite number, at least 1 token and at most {MOST_VIEWS} views"
            )


def published_modes(num_latencies: int) -> dict[str, ModeConfig]:
    """What fast, normal and offline mean on a published checkpoint."""
    return {
        "fast": ModeConfig(pass_number=1, latency=0),
        "normal": ModeConfig(pass_number=2, latency=0),
        "offline": ModeConfig(pass_number=2, latency=min(1, num_latencies - 1)),
    }
