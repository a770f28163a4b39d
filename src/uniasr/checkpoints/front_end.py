"""What every family of published models says of its features in the same words: `frontend_conf` and the CMVN file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uniasr.checkpoints.section import Section
from uniasr.configs.frontend import FrontendConfig
from uniasr.errors import ModelError

if TYPE_CHECKING:
    from uniasr.features.cmvn import Cmvn


def published_frontend(section: Section) -> FrontendConfig:
    """The front end that a `frontend_conf` describes.

    Raises ModelError naming an entry that is not supported, ValueError for sizes that do not fit.
    """
    section.require("dither", (0,), default=0)  # a missing one means noise to some published classes
    section.require("snip_edges", (True,), default=True)
    section.require("upsacle_samples", (True,), default=True)
    section.require("window", ("hamming",), default="hamming")
    section.ignore("cmvn_file", "filter_length_min", "filter_length_max")
    return FrontendConfig(
        sample_rate_hz=section.take_count("fs", 16_000),
        n_mels=section.take_count("n_mels", 80),
        frame_length_ms=section.take("frame_length", float, 25.0),
        frame_shift_ms=section.take("frame_shift", float, 10.0),
        lfr_m=section.take_count("lfr_m", 1),
        lfr_n=section.take_count("lfr_n", 1),
    )


def check_cmvn(directory: Path, cmvn: Cmvn, frontend: FrontendConfig) -> None:
    """Raise ModelError where the CMVN values of a directory are not those of as many columns as its features have."""
    size = frontend.feature_size
    for name, values in (("shift", cmvn.shift), ("scale", cmvn.scale)):
        if values.shape != (size,):
            raise ModelError(
                f"{directory}: the CMVN file has {values.shape[0]} values of {name}; {size} (n_mels * lfr_m) are needed"
            )
