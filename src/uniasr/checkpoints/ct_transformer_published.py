"""Punctuation models as published for the FunASR ecosystem, in the layouts of its 0.x and 1.x releases.

Every entry of a configuration is used, known not to matter, or refused.
Sources: funasr 1.4.16 funasr/models/{ct_transformer,ct_transformer_streaming}; FunASR 0.2.0
funasr/tasks/punctuation.py and funasr/models/{target_delay_transformer,vad_realtime_transformer}.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uniasr.checkpoints.documents import read_yaml
from uniasr.checkpoints.named_files import NamedFiles, read_named_files
from uniasr.checkpoints.section import Section
from uniasr.configs.ct_transformer import CtTransformerConfig
from uniasr.errors import ModelError
from uniasr.text.words import WordList, read_words, words_from

_CLASSES = {"CTTransformer": ("SANMEncoder", False), "CTTransformerStreaming": ("SANMVadEncoder", True)}
DICTIONARY = "jieba_usr_dict"
_KINDS_0X = {"target_delay": False, "vad_realtime": True}
_NORMALISED = {",": "，", "?": "？"}
"""Template files list ASCII marks; the text has always had these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PunctuationFiles:
    """A punctuation model without its weights in memory; raises ModelError when its parts do not fit each other."""

    directory: Path
    config: CtTransformerConfig
    words: WordList
    weights: Path | None
    """State dict for the torch network; None when there is only the graph."""
    graph: Path | None = None
    dictionary: Path | None = None
    """By which jieba cuts text into words; None where words are characters and runs of ASCII."""
    card: dict[str, Any] = field(default_factory=dict)
    """What else the directory says: `layout`, and the entry `card` of our own model.yaml."""

    def __post_init__(self) -> None:
        if self.config.vocab_size != len(self.words):
            raise ModelError(
                f"{self.directory}: the configuration is for {self.config.vocab_size} words, "
                f"but the word list has {len(self.words)}"
            )


def published_config(directory: Path) -> Path | None:
    """The configuration of a published punctuation model, or None if the directory is none."""
    path = _config_path(read_named_files(directory))
    entries = read_yaml(path) if path.is_file() else {}
    return path if _is_1x(entries) or _is_0x(entries) else None


def read_published_punctuation(directory: Path) -> PunctuationFiles:
    """Read a directory in either published layout.

    Raises ModelError naming the file, the entry and what is supported.
    """
    names = read_named_files(directory)
    path = _config_path(names)
    if not path.is_file():
        raise ModelError(
            f"{directory} is no punctuation model. Looked for model.yaml (uniasr), config.yaml and punc.yaml "
            "(published FunASR or ModelScope models)"
        )
    entries = read_yaml(path)
    try:
        if _is_1x(entries):
            return _read_1x(names, entries, path)
        if _is_0x(entries):
            return _read_0x(names, entries, path)
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from error
    raise ModelError(
        f"{path}: model is {entries.get('model')!r:.60}; a punctuation model has {' or '.join(_CLASSES)} "
        f"(1.x), or the entry punctuation with {' or '.join(_KINDS_0X)} (0.x)"
    )


def _is_1x(entries: Mapping[str, Any]) -> bool:
    return str(entries.get("model")) in _CLASSES


def _is_0x(entries: Mapping[str, Any]) -> bool:
    return str(entries.get("punctuation")) in _KINDS_0X


def _config_path(names: NamedFiles) -> Path:
    found = [name for name in ("config.yaml", "punc.yaml") if (names.directory / name).is_file()]
    return names.path("file_path_metas", "config", usual=found[0] if found else "config.yaml")


def _read_1x(names: NamedFiles, entries: dict[str, Any], path: Path) -> PunctuationFiles:
    encoder, causal = _CLASSES[entries["model"]]
    Section({"encoder": entries.get("encoder")}, str(path)).require("encoder", (encoder,))
    words = read_words(names.path("file_path_metas", "tokenizer_conf", "token_list", usual="tokens.json"))
    return PunctuationFiles(
        directory=names.directory,
        config=_config_1x(entries, str(path), len(words), causal),
        words=words,
        weights=_existing(names.path("file_path_metas", "init_param", usual="model.pt")),
        dictionary=_dictionary(names),
        card={"layout": "funasr-1.x"},
    )


def _config_1x(entries: Mapping[str, Any], file: str, vocab_size: int, causal: bool) -> CtTransformerConfig:
    model = Section(entries.get("model_conf"), f"{file}: model_conf")
    encoder = Section(entries.get("encoder_conf"), f"{file}: encoder_conf")
    marks = _marks(entries.get("model_conf"), f"{file}: model_conf")
    size, kernel = encoder.take_count("output_size", 256), encoder.take_count("kernel_size", 11)
    embed_size = model.take_count("embed_unit", 128)
    encoder.require("input_size", (embed_size,))
    model.require("att_unit", (size,), default=256)
    model.ignore("ignore_id", "punc_weight", "punc_list", "dropout_rate", "sos", "eos", "vocab_size")
    encoder.require("input_layer", ("pe",), default="conv2d")
    encoder.require("normalize_before", (True,), default=True)
    encoder.require("concat_after", (False,), default=False)
    encoder.require("positionwise_layer_type", ("linear",), default="linear")
    encoder.require("interctc_use_conditioning", (False,), default=False)
    encoder.require("interctc_layer_idx", ([], None), default=[])
    encoder.require("selfattention_layer_type", ("sanm",), default="sanm")
    encoder.ignore("pos_enc_class", "positional_dropout_rate", "positionwise_conv_kernel_size", "padding_idx")
    config = CtTransformerConfig(
        vocab_size=vocab_size,
        embed_size=embed_size,
        output_size=size,
        attention_heads=encoder.take_count("attention_heads", 4),
        linear_units=encoder.take_count("linear_units", 2048),
        num_blocks=encoder.take_count("num_blocks", 6),
        kernel_size=kernel,
        memory_shift=encoder.take("sanm_shfit", int, 0),
        causal=causal,
        marks=marks,
        sentence_end=model.take("sentence_end_id", int, 3),
        dropout=encoder.take("dropout_rate", float, 0.1),
        attention_dropout=encoder.take("attention_dropout_rate", float, 0.0),
    )
    model.finish()
    encoder.finish()
    return config


def _read_0x(names: NamedFiles, entries: dict[str, Any], path: Path) -> PunctuationFiles:
    words = words_from(entries.get("token_list"), f"{path}: token_list")
    causal = _KINDS_0X[entries["punctuation"]]
    section = Section(entries.get("punctuation_conf"), f"{path}: punctuation_conf")
    section.ignore("pos_enc", "dropout_rate")  # the position code is always the sinusoidal one
    marks = _marks(entries, str(path))
    config = CtTransformerConfig(
        vocab_size=len(words),
        embed_size=section.take_count("embed_unit", 128),
        output_size=section.take_count("att_unit", 256),
        attention_heads=section.take_count("head", 2),
        linear_units=section.take_count("unit", 1024),
        num_blocks=section.take_count("layer", 4),
        kernel_size=section.take_count("kernel_size", 11) if causal else 11,
        memory_shift=section.take("sanm_shfit", int, 0) if causal else 0,
        causal=causal,
        marks=marks,
        sentence_end=marks.index("。") if "。" in marks else 0,
    )
    section.finish()
    return PunctuationFiles(
        directory=names.directory,
        config=config,
        words=words,
        weights=_existing(names.path("model", "punc_model_name", usual="punc.pb")),
        card={"layout": "funasr-0.x"},
    )


def _marks(section: Any, where: str) -> tuple[str, ...]:
    marks = section.get("punc_list") if isinstance(section, Mapping) else None
    if not isinstance(marks, list) or not all(isinstance(mark, str) for mark in marks):
        raise ModelError(f"{where}: punc_list is {marks!r:.60}; a list of marks is needed")
    return tuple(_NORMALISED.get(mark) or mark for mark in marks)


def _dictionary(names: NamedFiles) -> Path | None:
    """The dictionary that text is cut with: named in configuration.json, or found where there is no such file."""
    if names.entries is None:
        path = names.directory / DICTIONARY
        return path if path.is_file() else None
    if names.entry("file_path_metas", DICTIONARY) is None:
        return None
    path = names.path("file_path_metas", DICTIONARY, usual="")
    if not path.is_file():
        raise ModelError(f"{path} is missing; it should hold the words by which the model cuts text")
    return path


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"{path} is missing; it should hold the weights of the model")
    return path
