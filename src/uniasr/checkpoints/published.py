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

from uniasr.checkpoints.documents import inside, read_json, read_yaml
from uniasr.checkpoints.files import ModelFiles, read_cmvn
from uniasr.checkpoints.language_model import has_language_model
from uniasr.checkpoints.network_sections import NETWORK_SECTIONS, network_config
from uniasr.checkpoints.section import Section
from uniasr.errors import ModelError
from uniasr.text.vocabulary import Vocabulary, read_tokens, vocabulary_from

_NONE = (None, "None", "none", "null", "")


def is_published(directory: Path) -> bool:
    """Whether the directory has the files by which a published model is recognised."""
    return (directory / "config.yaml").is_file() or (directory / "configuration.json").is_file()


def read_published(directory: Path) -> ModelFiles:
    """Read a directory in either published layout; the value of `model` in config.yaml tells which.

    Raises ModelError naming the file, the entry and what is supported.
    """
    names = directory / "configuration.json"
    metadata = read_json(names) if names.is_file() else {}
    config_path = _config_path(directory, metadata)
    entries = read_yaml(config_path)
    model = entries.get("model")
    if model == "uniasr":
        return _read_0x(directory, metadata, entries, config_path)
    if model == "UniASR":
        return _read_1x(directory, metadata, entries, config_path)
    raise ModelError(f"{config_path}: model is {model!r:.60}; only 'UniASR' (1.x) or 'uniasr' (0.x) is supported")


def _config_path(directory: Path, metadata: Mapping[str, Any]) -> Path:
    name = (
        _entry(metadata, "file_path_metas", "config")
        or _entry(metadata, "model", "model_config", "am_model_config")
        or "config.yaml"
    )
    return inside(directory, name, f"{directory / 'configuration.json'}: the name of the configuration")


def _read_0x(directory: Path, metadata: Mapping[str, Any], entries: dict[str, Any], config_path: Path) -> ModelFiles:
    where = f"{directory / 'configuration.json'}: "
    settings = _entry(metadata, "model", "model_config") or {}
    if not isinstance(settings, Mapping):
        raise ModelError(f"{where}model_config is {settings!r:.60}; a mapping is needed")
    # The list inside config.yaml is what the published inference uses.
    if "token_list" in entries:
        tokens = vocabulary_from(entries["token_list"], f"{config_path}: token_list")
    else:
        tokens = _tokens(directory, ("tokens.txt", "tokens.json"))
    _require_plain_model(
        entries, config_path, encoder="sanm_chunk_opt", decoder="fsmn_scama_opt", cif="cif_predictor_v2"
    )
    weights = _entry(metadata, "model", "am_model_name") or "model.pb"
    decoding = inside(directory, settings.get("asr_model_config", "decoding.yaml"), where + "asr_model_config")
    return ModelFiles(
        directory=directory,
        config=network_config(entries, str(config_path), len(tokens)),
        tokens=tokens,
        cmvn=read_cmvn(inside(directory, settings.get("mvn_file", "am.mvn"), where + "mvn_file")),
        weights=_converted(_existing(inside(directory, weights, where + "am_model_name"))),
        card={
            "layout": "funasr-0.x",
            "language": settings.get("lang"),
            "decoding": _decoding_0x(decoding, has_language_model(directory)) if decoding.is_file() else {},
        },
    )


def _read_1x(directory: Path, metadata: Mapping[str, Any], entries: dict[str, Any], config_path: Path) -> ModelFiles:
    where = f"{directory / 'configuration.json'}: file_path_metas."
    token_name = _entry(metadata, "file_path_metas", "tokenizer_conf", "token_list")
    if token_name is None:
        tokens = _tokens(directory, ("tokens.json", "tokens.txt"))
    else:
        tokens = read_tokens(inside(directory, token_name, where + "tokenizer_conf.token_list"))
    weights = _entry(metadata, "file_path_metas", "init_param") or "model.pt"
    cmvn = _entry(metadata, "file_path_metas", "frontend_conf", "cmvn_file") or "am.mvn"
    _require_plain_model(
        entries, config_path, encoder="SANMEncoderChunkOpt", decoder="FsmnDecoderSCAMAOpt", cif="CifPredictorV2"
    )
    return ModelFiles(
        directory=directory,
        config=network_config(entries, str(config_path), len(tokens)),
        tokens=tokens,
        cmvn=read_cmvn(inside(directory, cmvn, where + "frontend_conf.cmvn_file")),
        weights=_converted(_existing(inside(directory, weights, where + "init_param"))),
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
    modes = {("model1", 0): "fast", ("model2", 0): "normal", ("model2", 1): "offline"}
    chosen = (section.take("decoding_mode", str, "model2"), section.take("decoding_ind", int, 0))
    if chosen not in modes:
        raise ModelError(
            f"{path}: decoding_mode {chosen[0]!r} with decoding_ind {chosen[1]} is no known mode; "
            f"known are {', '.join(f'{pass_name} with {index}' for pass_name, index in modes)}"
        )
    return {**_search_options(section), **lm, "mode": modes[chosen]}


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


def _entry(mapping: Any, *names: str) -> Any:
    """A nested entry, or None when it or one of its parents is missing."""
    for name in names:
        if not isinstance(mapping, Mapping):
            return None
        mapping = mapping.get(name)
    return mapping
