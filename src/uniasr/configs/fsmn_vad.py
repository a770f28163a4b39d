"""The shape of an FSMN-VAD, and the options of its state machine.

Source: funasr 1.4.16 funasr/models/fsmn_vad_streaming; the option names are the published ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite
from typing import Any

from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import OptionError
from uniasr.types import MOST_NUMBER, is_number

PROFILES: dict[str, dict[str, Any]] = {
    "classic": {},
    "dynamic": {
        "speech_noise_thres": 0.5,
        "silence_schedule": (
            (0, 2_000),
            (10_000, 1_000),
            (20_000, 800),
            (30_000, 600),
            (40_000, 400),
            (50_000, 200),
            (60_000, 100),
        ),
    },
}
"""Changes to a model's options, by name. Classic takes them as published; dynamic waits the less for the end of a
segment the longer it has been open (the default of funasr 1.4.16)."""


_MOST = 2**14
"""Larger than any width or reach of a model, and small enough that a damaged file does not fill a computer's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FsmnConfig:
    """Feed-forward layers with memories over past rows [encoder_conf of FSMN]."""

    input_dim: int = 400
    input_affine_dim: int = 140
    fsmn_layers: int = 4
    linear_dim: int = 250
    proj_dim: int = 128
    lorder: int = 20
    """Rows under a memory, the current one included."""
    lstride: int = 1
    """Rows between two of them."""
    output_affine_dim: int = 140
    output_dim: int = 248

    def __post_init__(self) -> None:
        for entry in fields(self):
            least = 2 if entry.name in ("lorder", "output_dim") else 1
            if not least <= getattr(self, entry.name) <= _MOST:
                raise ValueError(f"{entry.name} is {getattr(self, entry.name)}; it must lie in {least}..{_MOST}")
        if self.cache_rows > _MOST:
            raise ValueError(f"lorder {self.lorder} and lstride {self.lstride} reach over more than {_MOST} rows")

    @property
    def cache_rows(self) -> int:
        """Past rows that each memory reads."""
        return (self.lorder - 1) * self.lstride


@dataclass(frozen=True, slots=True, kw_only=True)
class VadOptions:
    """When speech begins and ends. Times are in milliseconds; they are rounded down to whole frames of 10 ms.

    Raises OptionError when a value makes no sense.
    """

    detect_mode: int = 1
    """1 finds all segments, 0 stops after the first."""
    max_end_silence_time: int = 800
    """Silence that ends a segment, counted from its first frame."""
    max_start_silence_time: int = 3_000
    """Only in detect_mode 0: give up when no speech has begun by then."""
    window_size_ms: int = 200
    """Frames are judged together over this time."""
    sil_to_speech_time_thres: int = 150
    """Speech within the window that begins a segment."""
    speech_to_sil_time_thres: int = 150
    """Silence begins when no more speech than this is left within the window."""
    speech_2_noise_ratio: float = 1.0
    """Exponent of the probability of silence."""
    do_extend: bool = True
    """Whether a segment gets some frames around its evidence (the next two options)."""
    lookback_time_start_point: int = 200
    """Moved back from where the window began."""
    lookahead_time_end_point: int = 100
    """Kept of the silence after the last speech."""
    max_single_segment_time: int = 60_000
    """A longer segment is cut."""
    snr_thres: float = -100.0
    """A frame of speech is this much above the noise level, in dB."""
    noise_frame_num_used_for_snr: int = 100
    """Frames that the noise level averages over."""
    decibel_thres: float = -100.0
    """Quieter frames are silence; digital silence has -60 dB."""
    speech_noise_thres: float = 0.6
    """A frame is speech when its probability of speech exceeds that of silence by this much."""
    sil_pdf_ids: tuple[int, ...] = (0,)
    """Outputs of the network that mean silence."""
    silence_schedule: tuple[tuple[int, int], ...] = ()
    """Pairs (open, silence): a segment that has been open for more than `open` ends after `silence`, in place of
    max_end_silence_time. Times count from the moment at which the start was certain."""

    def __post_init__(self) -> None:
        _whole(self, 0, "max_end_silence_time", "max_start_silence_time", "lookback_time_start_point")
        _whole(self, 0, "lookahead_time_end_point", "speech_to_sil_time_thres")
        _whole(self, 1, "noise_frame_num_used_for_snr", "max_single_segment_time")
        _whole(self, 10, "window_size_ms", "sil_to_speech_time_thres")
        for name in ("speech_2_noise_ratio", "snr_thres", "decibel_thres", "speech_noise_thres"):
            value = getattr(self, name)
            if not is_number(value):
                raise OptionError(f"{name} is {value!r:.80}; it must be a number of at most {MOST_NUMBER:.0e}")
        if self.speech_2_noise_ratio < 0:
            raise OptionError(f"speech_2_noise_ratio is {self.speech_2_noise_ratio}; it cannot be negative")
        if self.detect_mode not in (0, 1):
            raise OptionError(f"detect_mode is {self.detect_mode!r:.80}; choose 0 (one segment) or 1 (all)")
        if self.window_size_ms > 60_000:
            raise OptionError(f"window_size_ms is {self.window_size_ms}; it must be at most 60000")
        if not self.sil_pdf_ids:
            raise OptionError("sil_pdf_ids is empty; at least one output must mean silence")
        if not _is_schedule(self.silence_schedule):
            raise OptionError(
                f"silence_schedule is {self.silence_schedule!r:.200}; it must hold pairs of milliseconds (open, "
                "silence), the first of them at 0 and each later than the one before"
            )

    def with_changes(self, changes: Mapping[str, Any]) -> VadOptions:
        """These options with some changed; an unknown name raises OptionError."""
        known = [entry.name for entry in fields(self)]
        for name in changes:
            if name not in known:
                raise OptionError(f"unknown VAD option {name!r}; the options are {', '.join(known)}")
        return replace(self, **changes)


def _is_schedule(pairs: object) -> bool:
    if not isinstance(pairs, tuple | list):
        return False
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 and all(map(is_number, pair)) for pair in pairs):
        return False
    times = [opened for opened, _ in pairs]
    return not times or (times[0] == 0 and times == sorted(set(times)) and min(silence for _, silence in pairs) >= 0)


def _whole(options: VadOptions, least: int, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if not isinstance(value, int) or not is_number(value) or value < least:
            raise OptionError(f"{name} is {value!r:.80}; it must be a whole number from {least} to {MOST_NUMBER:.0e}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionOptions:
    """Options of a pipeline in place of those of the same name: what a recogniser does not hear is lost for good."""

    speech_noise_thres: float
    lookback_time_start_point: int
    lookahead_time_end_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FsmnVadConfig:
    """Everything but the weights and the CMVN values."""

    frontend: FrontendConfig
    encoder: FsmnConfig
    options: VadOptions = field(default_factory=VadOptions)
    quiet_db: float | None = None
    """Where a second of audio is quieter than this (levels as for `decibel_thres`), the network is not asked: it is
    silence. None: the network hears everything."""
    recognition: RecognitionOptions | None = None
    """What a pipeline uses for its recogniser. None: the options as they are."""

    def __post_init__(self) -> None:
        if self.encoder.input_dim != self.frontend.feature_size:
            raise ValueError(
                f"encoder input_dim {self.encoder.input_dim} is not the front end's {self.frontend.feature_size}"
            )
        if self.frontend.row_ms % FRAME_MS:
            raise ValueError(
                f"a row stands for {self.frontend.row_ms} ms; the state machine needs whole frames of {FRAME_MS} ms"
            )
        if wrong := [i for i in self.options.sil_pdf_ids if not 0 <= i < self.encoder.output_dim]:
            raise ValueError(f"sil_pdf_ids has {wrong[0]}, but the network has {self.encoder.output_dim} outputs")
        self.options.with_changes(self.for_recognition)  # says what is wrong with them
        if self.quiet_db is not None and (not isfinite(self.quiet_db) or self.frontend.lfr_n != 1):
            raise ValueError(
                f"quiet_db is {self.quiet_db} with lfr_n {self.frontend.lfr_n}; it must be finite, and lfr_n 1"
            )

    @property
    def for_recognition(self) -> dict[str, Any]:
        """Changes to the options, for what a recogniser is to hear."""
        return asdict(self.recognition) if self.recognition else {}

    @property
    def frames_per_row(self) -> int:
        """Frames of the state machine that one row decides."""
        return round(self.frontend.row_ms) // FRAME_MS

    @property
    def level_windows(self) -> FrontendConfig:
        """The windows whose levels count: one for each frame of the state machine."""
        return replace(self.frontend, frame_shift_ms=float(FRAME_MS))


FRAME_MS = 10
"""Audio between two frame decisions."""
