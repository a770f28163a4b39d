"""The pipeline that a command line asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uniasr.errors import ModelError, OptionError
from uniasr.hub import resolve_part
from uniasr.pipeline import Pipeline
from uniasr.recognizers import load_model
from uniasr.recognizers.uniasr import Uniasr
from uniasr.text.hotwords import read_hotwords

AUTO, NONE = "auto", "none"
SHORTEST_S, LONGEST_S = 2, 3600
"""Limits of a segment: shorter ones cut every word in two, longer ones do not fit a computer's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequest:
    """What a command line says of the parts, and of how they are used."""

    model: str | None
    device: str
    backend: str
    threads: int | None
    vad: str
    punctuation: str
    itn: str
    mode: str
    latency: str | None
    beam_size: int | None
    search: str
    hotwords: str | None
    lm: str | None
    lm_weight: float | None
    output_script: str | None
    converter: str | None
    max_end_silence: int | None
    max_segment: float | None

    @property
    def options(self) -> dict[str, Any]:
        """Options of a pipeline's calls, but mode and latency."""
        names = ("search", "lm", "converter")
        options = {name: getattr(self, name) for name in names} | {"output": self.output_script}
        options["hotwords"] = None if self.hotwords is None else read_hotwords(self.hotwords)
        options["max_end_silence_ms"] = self.max_end_silence
        for name in ("beam_size", "lm_weight"):
            if (value := getattr(self, name)) is not None:
                options[name] = value
        if self.max_segment is not None:
            if not SHORTEST_S <= self.max_segment <= LONGEST_S:
                raise OptionError(
                    f"--max-segment is {self.max_segment:g}; give seconds from {SHORTEST_S} to {LONGEST_S}"
                )
            options["max_segment_s"] = self.max_segment
        return options


def open_pipeline(request: PartRequest, *, bare: bool = False) -> tuple[Pipeline, Uniasr]:
    """The pipeline and its recogniser; with `bare`, "auto" means none. Raises what loading the parts raises."""
    model = load_model(request.model, request.device, request.backend, request.threads)
    named: Any = {} if bare else model.card.get("parts", {})
    if not isinstance(named, Mapping):
        raise ModelError(f"{model.directory}: the entry 'parts' must map 'vad' and 'punctuation' to names of models")
    pipeline = Pipeline(
        model,
        _part(request.vad, named.get("vad"), model),
        _part(request.punctuation, named.get("punctuation"), model),
        None if request.itn == NONE else request.itn,
        device=request.device,
        backend=request.backend,
        threads=request.threads,
    )
    return pipeline, model


def _part(asked: str, named: object, model: Uniasr) -> str | Path | None:
    if asked != AUTO:
        return None if asked == NONE else asked
    return None if named is None else resolve_part(named, model.directory)
