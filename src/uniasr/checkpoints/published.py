"""Model directories as published for the FunASR ecosystem, in the layouts of its 0.x and 1.x releases.

Both layouts describe the same network with the same entries; they differ in file names and class names. Every entry is
used, known not to matter, or refused when its value would give other numbers than the published system's.

Sources: funasr 1.4.16 funasr/models/uniasr, funasr/frontends/wav_frontend.py;
FunASR 0.2.0 funasr/models/e2e_uni_asr.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uniasr.checkpoints.documents import read_yaml
from uniasr.checkpoints.files import ModelFiles, read_cmvn
from uniasr.checkpoints.language_model import has_language_model
from uniasr.checkpoints.named_files import NamedFiles, read_named_files
from uniasr.checkpoints.network_sections import NETWORK_SECTIONS, network_config
from uniasr.checkpoints.section import Section
from uniasr.errors import ModelError
from uniasr.text.vocabulary import Vocabulary, read_tokens, vocabulary_from

MODES_OF_PASSES = {("model1", 0): "fast", ("model2", 0): "normal", ("model2", 1): "offline"}
"""Modes as decoding.yaml and old callers spell them: `decoding_mode` and `decoding_ind`."""
_NONE = (None, "None", "none", "null", "")


def is_published(directory: Path) -> bool:
    """Whether the directory has the files by which a published model is recognised."""
    return (directory / "config.yaml").is_file() or (directory / "configuration.json").is_file()


def read_published(directory: Path) -> ModelFiles:
    """Read a directory in either published layout; the value of `model` in config.yaml tells which.

    Raises ModelError naming the file, the entry and what is supported.
    """
    names = read_named_files(directory)
    config_path = _config_path(names)
    entries = read_yaml(config_path)
    model = entries.get("model")
    if model == "uniasr":
        return _read_0x(names, entries, config_path)
    if model == "UniASR":
        return _read_1x(names, entries, config_path)
    raise ModelError(f"{config_path}: model is {model!r:.60}; only 'UniASR' (1.x) or 'uniasr' (0.x) is supported")


def _config_path(names: NamedFiles) -> Path:
    place: tuple[str, ...] = ("file_path_metas", "config")
    if not names.entry(*place):
        place = ("model", "model_config", "am_model_config")
    return names.path(*place, usual="config.yaml")


def _read_0x(names: NamedFiles, entries: dict[str, Any], config_path: Path) -> ModelFiles:
    directory, settings = names.directory, ("model", "model_config")
    if not isinstance(names.entry(*settings) or {}, Mapping):
        raise ModelError(f"{names.where(*settings)} is {names.entry(*settings)!r:.60}; a mapping is needed")
    # The list inside config.yaml is what the published inference uses.
    if "token_list" in entries:
        tokens = vocabulary_from(entries["token_list"], f"{config_path}: token_list")
    else:
        tokens = _tokens(directory, ("tokens.txt", "tokens.json"))
    _require_plain_model(
        entries, config_path, encoder="sanm_chunk_opt", decoder="fsmn_scama_opt", cif="cif_predictor_v2"
    )
    decoding = names.path(*settings, "asr_model_config", usual="decoding.yaml")
    return ModelFiles(
        directory=directory,
        config=network_config(entries, str(config_path), len(tokens)),
        tokens=tokens,
        cmvn=read_cmvn(names.path(*settings, "mvn_file", usual="am.mvn")),
        weights=_converted(_existing(names.path("model", "am_model_name", usual="model.pb"))),
        card={
            "layout": "funasr-0.x",
            "language": names.entry(*settings, "lang"),
            "decoding": _decoding_0x(decoding, has_language_model(directory)) if decoding.is_file() else {},
        },
    )


def _read_1x(names: NamedFiles, entries: dict[str, Any], config_path: Path) -> ModelFiles:
    files = "file_path_metas"
    if names.entry(files, "tokenizer_conf", "token_list") is None:
        tokens = _tokens(names.directory, ("tokens.json", "tokens.txt"))
    else:
        tokens = read_tokens(names.path(files, "tokenizer_conf", "token_list", usual=""))
    _require_plain_model(
        entries, config_path, encoder="SANMEncoderChunkOpt", decoder="FsmnDecoderSCAMAOpt", cif="CifPredictorV2"
    )
    return ModelFiles(
        directory=names.directory,
        config=network_config(entries, str(config_path), len(tokens)),
        tokens=tokens,
        cmvn=read_cmvn(names.path(files, "frontend_conf", "cmvn_file", usual="am.mvn")),
        weights=_converted(_existing(names.path(files, "init_param", usual="model.pt"))),
        card={"layout": "funasr-1.x", "language": entries.get("lang"), "decoding": _decoding_1x(entries, config_path)},
    )


def _require_plain_model(entries: Mapping[str, Any], path: Path, *, encoder: str, decoder: str, cif: str) -> None:
    """Refuse other parts than those of UniASR. What else stands at the top level is about training or tokenising."""
    top = Section({key: value for key, value in entries.items() if key not in NETWORK_SECTIONS}, str(path))
    for name, part in (("encoder", encoder), ("decoder", decoder), ("predictor", cif)):
        top.require(name, (part,))
        top.require(f"{name}2", (part,))
    top.require("stride_conv", ("stride_conv1d", "Conv1dSubsampling"), default="stride_conv1d")
    for name in ("normalize", "preencoder", "postencoder"):
        top.require(name, _NONE)


def _decoding_0x(path: Path, with_lm: bool) -> dict[str, Any]:
    """Defaults of a call from decoding.yaml; the mode is spelled as a pass and a chunk configuration there."""
    section = Section(read_yaml(path), str(path))
    lm = {"lm_weight": section.take("lm_weight", float, 0.0)} if with_lm else {}
    for name in ("maxlenratio", "minlenratio", "ctc_weight", "lm_weight"):
        section.require(name, (0,), default=0)
    chosen = (section.take("decoding_mode", str, "model2"), section.take("decoding_ind", int, 0))
    if chosen not in MODES_OF_PASSES:
        raise ModelError(
            f"{path}: decoding_mode {chosen[0]!r:.80} with decoding_ind {chosen[1]} is no known mode; "
            f"known are {', '.join(f'{pass_name} with {index}' for pass_name, index in MODES_OF_PASSES)}"
        )
    return {**_search_options(section), **lm, "mode": MODES_OF_PASSES[chosen]}


def _decoding_1x(entries: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Defaults of a call: in 1.x they may stand among the entries of config.yaml."""
    section = Section(entries, str(path))
    options = _search_options(section)
    if "decoding_model" in section:
        mode = section.take("decoding_model", str)
        # Words that it does not know mean "normal" to the published system.
        options["mode"] = mode if mode in ("fast", "offline") else "normal"
    return options


def _search_options(section: Section) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name in ("beam_size", "token_num_relax", "nbest"):
        if name in section:
            options[name] = section.take(name, int)
    if "penalty" in section:
        options["penalty"] = section.take("penalty", float)
    return options


def _tokens(directory: Path, names: tuple[str, ...]) -> Vocabulary:
    for name in names:
        if (directory / name).is_file():
            return read_tokens(directory / name)
    raise ModelError(f"{directory} lacks the token list; {' or '.join(names)} should be there")


def _existing(path: Path) -> Path:
    if not path.is_file() and not _converted(path).is_file():
        raise ModelError(f"{path} is missing; it should hold the weights of the model")
    return path


def _converted(path: Path) -> Path:
    """The PyTorch file that the published system leaves beside TensorFlow weights once it has converted them."""
    if path.suffix == ".bin" and path.with_suffix(".pb").is_file():
        return path.with_suffix(".pb")
    cached = path.with_name(path.name + ".pth")
    return cached if ".ckpt" in path.name and cached.is_file() else path
