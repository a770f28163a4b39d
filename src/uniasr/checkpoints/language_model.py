"""Language models beside recognisers: as 0.x directories carry them (`lm/lm.pb`, `lm/lm.yaml`), and exported ones.

What else stands in the published yaml is about training. Source: FunASR 0.2.0 funasr/tasks/lm.py; the names in
configuration.json as modelscope's preprocessors/asr.py reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from uniasr.checkpoints.documents import read_yaml
from uniasr.checkpoints.named_files import read_named_files
from uniasr.checkpoints.own_layout import DESCRIPTION, FORMAT, description, staged_model
from uniasr.configs.language_model import LanguageModelConfig, RecurrentLmConfig, TransformerLmConfig
from uniasr.configs.records import from_plain
from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.graph_files import graph_files

GRAPH = "lm"
_KINDS = {"transformer": TransformerLmConfig, "seq_rnn": RecurrentLmConfig}
_FAMILIES = {f"{kind}_lm": kind for kind in _KINDS}
_TRAINING_ONLY = ("dropout_rate", "positional_dropout_rate", "attention_dropout_rate")
_WEIGHTS = ("lm.pb", "lm.pt", "lm.pth", "model.pb", "model.pt")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModelFiles:
    """A language model without its weights in memory."""

    directory: Path
    config: LanguageModelConfig
    tokens: tuple[str, ...] | None
    """The tokens that its ids mean, where the directory says so."""
    weights: Path | None
    """State dict for the torch network; None in an exported directory."""


def has_language_model(directory: Path) -> bool:
    """Whether a directory describes a language model, alone or beside a recogniser."""
    return _described(directory) is not None


def is_language_model(directory: Path) -> bool:
    """Whether a directory is that of a language model alone, and not of a recogniser that carries one."""
    if (found := _described(directory)) is None or found[0].parent != directory:
        return False
    beside_ours = (directory / DESCRIPTION).is_file() and found[0].name != DESCRIPTION
    return not beside_ours and _named(directory, "lm_model_config") is None


def read_language_model(directory: Path) -> LanguageModelFiles:
    """Read the language model of a directory.

    Args:
        directory: an exported language model; a published one (a yaml with `lm` and `lm_conf`, and weights); or a
            recogniser's directory that names one in configuration.json or holds one in `lm`.

    Raises ModelNotFoundError when there is none, ModelError naming the file and what is wrong with it.
    """
    if not directory.is_dir():
        raise ModelNotFoundError(f"{directory} is no directory; a language model is a directory or an .arpa file")
    found = _described(directory)
    if found is None:
        raise ModelNotFoundError(
            f"{directory} holds no language model; a yaml with the entries lm and lm_conf beside lm.pb, "
            "or model.yaml beside lm.onnx should be there"
        )
    path, entries = found
    if "family" in entries:
        return _read_exported(path, entries)
    config, tokens = _read_config(path, entries)
    return LanguageModelFiles(
        directory=path.parent, config=config, tokens=tokens, weights=_weights(directory, path.parent)
    )


def write_language_model(directory: Path, files: LanguageModelFiles, graph: Path) -> Path:
    """Write an exported language model: model.yaml with its tokens where they are known, and the graph."""
    entries = description(_family(files.config), files.config)
    if files.tokens is not None:
        entries["token_list"] = list(files.tokens)
    with staged_model(directory, entries, (), read_language_model) as staging:
        (staging / graph.name).write_bytes(graph.read_bytes())
    return directory


def _described(directory: Path) -> tuple[Path, dict[str, Any]] | None:
    """The yaml that describes the language model of a directory, and what it says."""
    named = _named(directory, "lm_model_config")
    names = (DESCRIPTION, "lm.yaml", "lm/lm.yaml", "config.yaml")
    for path in [*([named] if named else []), *(directory / name for name in names)]:
        if path.is_file():
            entries = read_yaml(path)
            if entries.get("family") in _FAMILIES if path.name == DESCRIPTION else "lm_conf" in entries:
                return path, entries
    return None


def _named(directory: Path, entry: str) -> Path | None:
    """The file that configuration.json names, or None."""
    place, names = ("model", "model_config", entry), read_named_files(directory)
    return names.path(*place, usual="") if names.entry(*place) else None


def _weights(directory: Path, place: Path) -> Path:
    named = _named(directory, "lm_model_name")
    found = [path for path in ([named] if named else []) + [place / name for name in _WEIGHTS] if path.is_file()]
    if not found:
        raise ModelError(f"{place} lacks the weights of its language model; lm.pb should be there")
    return found[0]


def _read_config(path: Path, entries: Mapping[str, Any]) -> tuple[LanguageModelConfig, tuple[str, ...] | None]:
    kind = entries.get("lm", "seq_rnn")  # the published default
    if kind not in _KINDS:
        raise ModelError(f"{path}: lm is {kind!r:.60}; only {' or '.join(map(repr, _KINDS))} is supported")
    settings = entries.get("lm_conf") or {}
    if not isinstance(settings, Mapping):
        raise ModelError(f"{path}: lm_conf is {settings!r:.60}; a mapping is needed")
    tokens = entries.get("token_list")
    if tokens is not None and not (isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)):
        raise ModelError(f"{path}: token_list is {tokens!r:.60}; a list of tokens is needed")
    plain = {str(name): value for name, value in settings.items() if name not in _TRAINING_ONLY}
    if plain.get("pos_enc") in ("", "None", "none", "null"):
        plain["pos_enc"] = None
    if tokens is not None:
        plain.setdefault("vocab_size", len(tokens))
        if plain["vocab_size"] != len(tokens):
            raise ModelError(f"{path}: vocab_size is {plain['vocab_size']!r:.20}, but there are {len(tokens)} tokens")
    if "vocab_size" not in plain and isinstance(entries.get("vocab_size"), int):
        plain["vocab_size"] = entries["vocab_size"]
    return _config(kind, plain, f"{path}: lm_conf"), None if tokens is None else tuple(tokens)


def _read_exported(path: Path, entries: Mapping[str, Any]) -> LanguageModelFiles:
    if entries.get("format") != FORMAT:
        raise ModelError(f"{path}: format is {entries.get('format')!r:.20}; this version reads {FORMAT}")
    if not graph_files(path.parent, GRAPH):
        raise ModelError(f"{path.parent / GRAPH}.onnx is missing; export the language model again")
    config, tokens = _read_config(
        path, {**entries, "lm": _FAMILIES[entries["family"]], "lm_conf": entries.get("config")}
    )
    return LanguageModelFiles(directory=path.parent, config=config, tokens=tokens, weights=None)


def _config(kind: str, plain: Mapping[str, Any], where: str) -> LanguageModelConfig:
    record = _KINDS[kind]
    known = {field.name for field in fields(record)}
    # a layer that the published class has no name for would change the numbers
    if unknown := sorted(set(plain) - known):
        raise ModelError(f"{where} has entries of unknown meaning: {', '.join(unknown)}")
    return from_plain(record, plain, where)


def _family(config: LanguageModelConfig) -> str:
    return "transformer_lm" if isinstance(config, TransformerLmConfig) else "seq_rnn_lm"
