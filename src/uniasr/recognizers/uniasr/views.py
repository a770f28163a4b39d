"""A segment's audio heard in another way: at another speed, with another vocal tract. Why: docs/decisions/0017."""

from __future__ import annotations

from uniasr.audio.resample import resample
from uniasr.configs.decoding import ViewConfig
from uniasr.features.frontend import FrontEnd
from uniasr.features.warp import warped
from uniasr.types import F32


def rows_in_view(front_end: FrontEnd, samples: F32, view: ViewConfig) -> F32:
    """Feature rows [R, feature_size] of whole audio [S] at the front end's rate."""
    rate = front_end.config.sample_rate_hz
    _, rows = front_end.step(front_end.start(), resample(samples, round(rate * view.speed), rate), last=True)
    return warped(rows, front_end.config.n_mels, view.warp)
