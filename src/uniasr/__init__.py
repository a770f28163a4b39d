"""Speech recognition with one model for every latency: see https://pypi.org/project/uniasr and docs/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uniasr.errors import UniasrError
    from uniasr.recognizers import load_model
    from uniasr.recognizers.uniasr import Uniasr
    from uniasr.types import (
        DecodingOptions,
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
    "DecodingOptions": "uniasr.types",
    "Event": "uniasr.types",
    "Final": "uniasr.types",
    "HotwordMatch": "uniasr.types",
    "Hypothesis": "uniasr.types",
    "Latency": "uniasr.types",
    "Partial": "uniasr.types",
    "Refresh": "uniasr.types",
    "Segment": "uniasr.types",
    "Token": "uniasr.types",
    "Transcript": "uniasr.types",
    "Uniasr": "uniasr.recognizers.uniasr",
    "UniasrError": "uniasr.errors",
    "load_model": "uniasr.recognizers",
}

__all__ = [
    "DecodingOptions",
    "Event",
    "Final",
    "HotwordMatch",
    "Hypothesis",
    "Latency",
    "Partial",
    "Refresh",
    "Segment",
    "Token",
    "Transcript",
    "Uniasr",
    "UniasrError",
    "load_model",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that `import uniasr` stays light."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'uniasr' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
