"""Which models there are: those published for UniASR, and those on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from uniasr.checkpoints.ct_transformer import is_punctuation
from uniasr.checkpoints.fsmn_vad import is_fsmn_vad
from uniasr.checkpoints.kana_kanji import is_kana_kanji
from uniasr.checkpoints.ngram import is_ngram
from uniasr.hub.caches import find_in_caches
from uniasr.hub.resolve import packaged_models


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A UniASR model on ModelScope."""

    name: str
    language: str
    vocabulary: int
    sample_rate_hz: int = 16_000


@dataclass(frozen=True, slots=True)
class AvailableModel:
    """A model that can be loaded here and now."""

    name: str
    directory: Path
    source: str
    """`packaged` or `cache`."""
    language: str = ""
    purpose: str = "recognition"


# Middle part of the name, language, vocabulary, origin, endings.
_PAIR = ("-online", "-offline")
_TABLE: tuple[tuple[str, str, int, str, tuple[str, ...]], ...] = (
    ("zh-cn-16k-common", "Chinese and English", 8358, "-tensorflow1", _PAIR),
    ("zh-cn-8k-common", "Chinese", 8358, "-tensorflow1", _PAIR),
    ("zh-cn-8k-common", "Chinese", 3445, "-pytorch", _PAIR),
    ("cn-dialect-16k", "Chinese dialects", 8358, "-tensorflow1", _PAIR),
    ("ja-16k-common", "Japanese", 93, "-tensorflow1", _PAIR),
    ("en-16k-common", "English", 1080, "-tensorflow1", _PAIR),
    ("ru-16k-common", "Russian", 1664, "-tensorflow1", _PAIR),
    ("ko-16k-common", "Korean", 6400, "-tensorflow1", _PAIR),
    ("cantonese-CHS-16k-common", "Cantonese", 1468, "-tensorflow1", _PAIR),
    ("id-16k-common", "Indonesian", 1067, "-tensorflow1", _PAIR),
    ("pt-16k-common", "Portuguese", 1617, "-tensorflow1", _PAIR),
    ("es-16k-common", "Spanish", 3445, "-tensorflow1", _PAIR),
    ("fr-16k-common", "French", 3472, "-tensorflow1", _PAIR),
    ("de-16k-common", "German", 3690, "-tensorflow1", _PAIR),
    ("vi-16k-common", "Vietnamese", 1001, "-pytorch", _PAIR),
    ("fa-16k-common", "Persian", 1257, "-pytorch", _PAIR),
    ("minnan-16k-common", "Min Nan", 3825, "", ("",)),
    ("my-16k-common", "Burmese", 696, "-pytorch", ("",)),
    ("he-16k-common", "Hebrew", 1085, "-pytorch", ("",)),
    ("ur-16k-common", "Urdu", 877, "-pytorch", ("",)),
    ("tr-16k-common", "Turkish", 1582, "-pytorch", ("",)),
)


def published() -> tuple[PublishedModel, ...]:
    """The UniASR models on ModelScope, as FunASR's model zoo and recipes name them (v0.2.0, v0.3.0 and later)."""
    models = [
        PublishedModel(
            name=f"damo/speech_UniASR_asr_2pass-{middle}-vocab{size}{origin}{ending}",
            language=language,
            vocabulary=size,
            sample_rate_hz=8_000 if "-8k" in middle else 16_000,
        )
        for middle, language, size, origin, endings in _TABLE
        for ending in endings
    ]
    large = "damo/speech_UniASR-large_asr_2pass-zh-cn-16k-common-vocab8358-tensorflow1-offline"
    return (*models, PublishedModel(large, "Chinese and English", 8358))


def available() -> tuple[AvailableModel, ...]:
    """The models on this machine: packaged ones, then published ones that lie in a hub cache."""
    found = [AvailableModel(name, path, "packaged", purpose=_purpose(path)) for name, path in packaged_models().items()]
    for model in published():
        path = find_in_caches(*model.name.split("/"))
        if path is not None:
            found.append(AvailableModel(model.name, path, "cache", model.language))
    return tuple(found)


def _purpose(directory: Path) -> str:
    if is_fsmn_vad(directory):
        return "voice activity"
    if is_kana_kanji(directory):
        return "kana to kanji"
    if is_ngram(directory):
        return "language model"
    return "punctuation" if is_punctuation(directory) else "recognition"
