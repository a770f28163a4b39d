"""Speech recognition with one model for every latency: see https://pypi.org/project/uniasr and docs/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uniasr.errors import UniasrError
    from uniasr.pipeline.model import Pipeline
    from uniasr.pipeline.stream import PipelineStream
    from uniasr.recognizers import load_converter, load_model, load_punctuator, load_vad
    from uniasr.recognizers.punctuation import Punctuator
    from uniasr.recognizers.uniasr import Uniasr
    from uniasr.recognizers.vad import Vad
    from uniasr.text.kana_kanji.converter import Converter
    from uniasr.types import (
        DecodingOptions,
        EndpointRule,
        Event,
        Final,
        HotwordMatch,
        Hypothesis,
        Latency,
        Partial,
        Refresh,
        Segment,
        Token,
        Transcript,
    )

__version__ = "0.1.0"

_HOMES = {
    "Converter": "uniasr.text.kana_kanji.converter",
    "DecodingOptions": "uniasr.types",
    "EndpointRule": "uniasr.types",
    "Event": "uniasr.types",
    "Final": "uniasr.types",
    "HotwordMatch": "uniasr.types",
    "Hypothesis": "uniasr.types",
    "Latency": "uniasr.types",
    "Partial": "uniasr.types",
    "Pipeline": "uniasr.pipeline.model",
    "PipelineStream": "uniasr.pipeline.stream",
    "Punctuator": "uniasr.recognizers.punctuation",
    "Refresh": "uniasr.types",
    "Segment": "uniasr.types",
    "Token": "uniasr.types",
    "Transcript": "uniasr.types",
    "Uniasr": "uniasr.recognizers.uniasr",
    "UniasrError": "uniasr.errors",
    "Vad": "uniasr.recognizers.vad",
    "load_converter": "uniasr.recognizers",
    "load_model": "uniasr.recognizers",
    "load_punctuator": "uniasr.recognizers",
    "load_vad": "uniasr.recognizers",
}

__all__ = [
    "Converter",
    "DecodingOptions",
    "EndpointRule",
    "Event",
    "Final",
    "HotwordMatch",
    "Hypothesis",
    "Latency",
    "Partial",
    "Pipeline",
    "PipelineStream",
    "Punctuator",
    "Refresh",
    "Segment",
    "Token",
    "Transcript",
    "Uniasr",
    "UniasrError",
    "Vad",
    "load_converter",
    "load_model",
    "load_punctuator",
    "load_vad",
]


def __getattr__(name: str) -> Any:
    """Import a public name (or the module `text`) on first use, so that `import uniasr` stays light."""
    from importlib import import_module

    if name == "text":
        return import_module("uniasr.text")
    if name not in _HOMES:
        raise AttributeError(f"module 'uniasr' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
