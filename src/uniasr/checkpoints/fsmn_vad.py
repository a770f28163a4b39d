"""Directories of FSMN-VAD models: the published layouts and our own.

Published: `config.yaml`, `am.mvn` and `model.pt` (FunASR 1.x) or `vad.yaml`, `vad.mvn` and `vad.pb` (0.x). Every entry
of a configuration is used, known not to matter, or refused. Sources: funasr 1.4.16 funasr/models/fsmn_vad_streaming;
FunASR 0.2.0 funasr/models/e2e_vad.py, funasr/build_utils/build_vad_model.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniasr.checkpoints.documents import inside, read_json, read_yaml
from uniasr.checkpoints.files import read_cmvn
from uniasr.checkpoints.front_end import check_cmvn, published_frontend
from uniasr.checkpoints.native import am_mvn_text
from uniasr.checkpoints.own_layout import (
    DESCRIPTION,
    WEIGHTS,
    description,
    family_of,
    is_native,
    need_directory,
    read_description,
    staged_model,
    weights_and_graphs,
    write_state,
)
from uniasr.checkpoints.section import Section
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.fsmn_vad import FRAME_MS, FsmnConfig, FsmnVadConfig, VadOptions
from uniasr.configs.records import from_plain
from uniasr.errors import ModelError

if TYPE_CHECKING:
    import torch

    from uniasr.features.cmvn import Cmvn

FAMILY = "fsmn_vad"
_CLASSES = ("FsmnVADStreaming", "FsmnVAD", "e2evad")
_SECTIONS = ("frontend_conf", "encoder_conf", "model_conf", "vad_post_conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class FsmnVadFiles:
    """A model directory that has been read and checked, without its weights in memory."""

    directory: Path
    config: FsmnVadConfig
    cmvn: Cmvn
    weights: Path | None
    """State dict for the torch network; None when there is only the graph."""
    graphs: tuple[Path, ...] = ()
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_cmvn(self.directory, self.cmvn, self.config.frontend)


def is_fsmn_vad(directory: Path) -> bool:
    """Whether the directory says that it holds a voice activity detector; its files may still be damaged."""
    if is_native(directory):
        return family_of(directory) == FAMILY
    try:
        if (directory / "config.yaml").is_file():
            return read_yaml(directory / "config.yaml").get("model") in _CLASSES
    except ModelError:
        return False  # whoever reads the model says what is wrong
    return (directory / "vad.yaml").is_file()


def read_fsmn_vad(directory: Path) -> FsmnVadFiles:
    """Read a directory in any layout.

    Raises ModelNotFoundError when there is no such directory, ModelError naming the file, the entry and what is
    supported.
    """
    need_directory(directory)
    return _read_native(directory) if is_native(directory) else _read_published(directory)


def write_fsmn_vad(
    directory: Path,
    config: FsmnVadConfig,
    cmvn: Cmvn,
    *,
    state: Mapping[str, torch.Tensor] | None = None,
    files: Iterable[Path] = (),
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write our own layout (`model.yaml`, `am.mvn` and weights or graph), whole or not at all, and return it.

    Arguments and errors are those of `uniasr.checkpoints.write_native`.
    """
    with staged_model(directory, description(FAMILY, config, card), files, _read_native) as staging:
        (staging / "am.mvn").write_text(am_mvn_text(cmvn), encoding="ascii")
        if state is not None:
            write_state(staging / WEIGHTS, state)
    return directory


def _read_native(directory: Path) -> FsmnVadFiles:
    path = directory / DESCRIPTION
    plain, card = read_description(directory, FAMILY, "a voice activity detector")
    weights, graphs = weights_and_graphs(directory, FAMILY)
    return FsmnVadFiles(
        directory=directory,
        config=from_plain(FsmnVadConfig, plain, f"{path}: config"),
        cmvn=read_cmvn(directory / "am.mvn"),
        weights=weights,
        graphs=graphs,
        card=card,
    )


def _read_published(directory: Path) -> FsmnVadFiles:
    config_path, cmvn, weights = _published_paths(directory)
    return FsmnVadFiles(
        directory=directory,
        config=_published_config(read_yaml(config_path), config_path),
        cmvn=read_cmvn(cmvn),
        weights=weights,
        card={"layout": "funasr-1.x" if weights.suffix == ".pt" else "funasr-0.x"},
    )


def _published_paths(directory: Path) -> tuple[Path, Path, Path]:
    """Configuration, CMVN and weights: `vad.*` (also beside the files of a recogniser), else what 1.x names."""
    if (directory / "vad.yaml").is_file():
        config, cmvn, weights = (directory / f"vad.{suffix}" for suffix in ("yaml", "mvn", "pb"))
    else:
        path = directory / "configuration.json"
        names = Section(read_json(path).get("file_path_metas") if path.is_file() else {}, f"{path}: file_path_metas")
        features = Section(names.take_mapping("frontend_conf"), f"{path}: frontend_conf")
        config, cmvn, weights = (
            inside(directory, section.take(name, str, usual), f"{section.where}: {name}")
            for section, name, usual in (
                (names, "config", "config.yaml"),
                (features, "cmvn_file", "am.mvn"),
                (names, "init_param", "model.pt"),
            )
        )
    if not config.is_file():
        raise ModelError(
            f"{directory} is no model directory of a voice activity detector. Looked for model.yaml (uniasr), "
            "config.yaml and vad.yaml (published FunASR or ModelScope models)"
        )
    if not weights.is_file():
        raise ModelError(f"{weights} is missing; it should hold the weights of the model")
    return config, cmvn, weights


def _published_config(entries: Mapping[str, Any], path: Path) -> FsmnVadConfig:
    """The configuration in a published yaml; missing entries mean what the published classes take by default."""
    top = Section({key: value for key, value in entries.items() if key not in _SECTIONS}, str(path))
    top.require("model", _CLASSES, default="e2evad")
    top.require("encoder", ("FSMN", "fsmn"), default="fsmn")
    fronts = ("WavFrontendOnline", "WavFrontend", "wav_frontend_online", "wav_frontend")
    top.require("frontend", fronts, default="wav_frontend")
    if "model_conf" in entries and "vad_post_conf" in entries:
        raise ModelError(f"{path} has both model_conf (1.x) and vad_post_conf (0.x); drop one of them")
    name = "vad_post_conf" if "vad_post_conf" in entries else "model_conf"
    sections = {part: Section(entries.get(part), f"{path}: {part}") for part in ("frontend_conf", "encoder_conf", name)}
    try:
        frontend = published_frontend(sections["frontend_conf"])
        if frontend.row_ms != FRAME_MS:
            raise ValueError(f"a row stands for {frontend.row_ms} ms; that of a published model stands for {FRAME_MS}")
        config = FsmnVadConfig(
            frontend=frontend,
            encoder=_encoder(sections["encoder_conf"]),
            options=_options(sections[name], frontend),
        )
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from error
    for section in sections.values():
        section.finish()
    return config


def _encoder(section: Section) -> FsmnConfig:
    # Memories that look ahead: no published model has them, and the reference's own depend on how its input is cut.
    section.require("rorder", (0, None), default=0)
    section.require("use_softmax", (True,), default=True)
    section.ignore("rstride")
    names = ("input_dim", "input_affine_dim", "fsmn_layers", "linear_dim", "proj_dim", "lorder", "lstride")
    return FsmnConfig(**{name: section.take_count(name) for name in (*names, "output_affine_dim", "output_dim")})


def _options(section: Section, frontend: FrontendConfig) -> VadOptions:
    section.require("sample_rate", (frontend.sample_rate_hz,), default=frontend.sample_rate_hz)
    section.require("frame_in_ms", (FRAME_MS,), default=FRAME_MS)
    section.require("frame_length_ms", (frontend.frame_length_ms,), default=frontend.frame_length_ms)
    ids = section.take_ints("sil_pdf_ids", (0,))
    section.require("silence_pdf_num", (len(ids),), default=len(ids))
    # Read by nobody, or of no effect at any value.
    section.ignore("snr_mode", "do_start_point_detection", "do_end_point_detection", "nn_eval_block_size")
    section.ignore("dcd_block_size", "fe_prior_thres", "speech_noise_thresh_low", "speech_noise_thresh_high")
    section.ignore("output_frame_probs")
    options: dict[str, Any] = {"sil_pdf_ids": ids}
    if "do_extend" in section:
        options["do_extend"] = section.take_flag("do_extend")
    for name in _WHOLE:
        if name in section:
            options[name] = section.take(name, int)
    for name in ("speech_2_noise_ratio", "snr_thres", "decibel_thres", "speech_noise_thres"):
        if name in section:
            options[name] = section.take(name, float)
    return VadOptions(**options)


_WHOLE = (
    "detect_mode",
    "max_end_silence_time",
    "max_start_silence_time",
    "window_size_ms",
    "sil_to_speech_time_thres",
    "speech_to_sil_time_thres",
    "lookback_time_start_point",
    "lookahead_time_end_point",
    "max_single_segment_time",
    "noise_frame_num_used_for_snr",
)
