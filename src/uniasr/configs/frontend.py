"""What turns samples into feature rows: sample rate, filter bank, low frame rate stacking."""

from __future__ import annotations

from dataclasses import dataclass

_MOST = 1_000_000
"""Beyond any sample rate in hertz, number or time in milliseconds of a front end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendConfig:
    """The published front end: log mel filter bank, LFR stacking, CMVN.

    Source: funasr 1.4.16 funasr/frontends/wav_frontend.py.
    """

    sample_rate_hz: int = 16_000
    window: str = "hamming"
    n_mels: int = 80
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    lfr_m: int = 7
    """Frames stacked into one row."""
    lfr_n: int = 6
    """Frames between two rows."""

    def __post_init__(self) -> None:
        for name in ("sample_rate_hz", "n_mels", "frame_length_ms", "frame_shift_ms", "lfr_m", "lfr_n"):
            if not 0 < getattr(self, name) <= _MOST:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive and at most {_MOST:,}")
        if self.frame_samples > _MOST:
            raise ValueError(
                f"a frame of {self.frame_length_ms} ms at {self.sample_rate_hz} Hz has over {_MOST:,} samples"
            )

    @property
    def feature_size(self) -> int:
        """Values per feature row."""
        return self.n_mels * self.lfr_m

    @property
    def row_ms(self) -> float:
        """Audio between two feature rows."""
        return self.frame_shift_ms * self.lfr_n

    @property
    def frame_samples(self) -> int:
        """Samples of one analysis window."""
        return int(self.sample_rate_hz * self.frame_length_ms * 0.001)

    @property
    def hop_samples(self) -> int:
        """Samples between two analysis windows."""
        return int(self.sample_rate_hz * self.frame_shift_ms * 0.001)
