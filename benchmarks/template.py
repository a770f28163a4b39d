"""A model of the published size (about 95 M parameters) with random weights whose searches never end early."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import yaml

VOCAB = 93
RATE = 16_000


def published_config() -> dict[str, object]:
    """config.yaml of the published template (facts: funasr 1.4.16 funasr/models/uniasr/template.yaml)."""
    encoder = {
        "output_size": 320, "attention_heads": 4, "linear_units": 1280, "dropout_rate": 0.1,
        "positional_dropout_rate": 0.1, "attention_dropout_rate": 0.1, "input_layer": "pe",
        "normalize_before": True, "sanm_shfit": 0, "selfattention_layer_type": "sanm",
        "encoder_att_look_back_factor": [0, 0], "decoder_att_look_back_factor": [0, 0],
    }  # fmt: skip
    decoder = {
        "num_blocks": 12, "att_layer_num": 6, "kernel_size": 11, "concat_embeds": True, "attention_heads": 4,
        "dropout_rate": 0.1, "positional_dropout_rate": 0.1, "self_attention_dropout_rate": 0.1,
        "src_attention_dropout_rate": 0.1,
    }  # fmt: skip
    predictor = {"idim": 320, "threshold": 1.0, "l_order": 1, "r_order": 1}
    return {
        "model": "UniASR",
        "encoder": "SANMEncoderChunkOpt",
        "encoder_conf": encoder
        | {"num_blocks": 35, "kernel_size": 11, "chunk_size": [20, 60], "stride": [10, 40], "pad_left": [5, 10]},
        "encoder2": "SANMEncoderChunkOpt",
        "encoder2_conf": encoder
        | {"num_blocks": 20, "kernel_size": 21, "chunk_size": [45, 70], "stride": [35, 50], "pad_left": [5, 10]},
        "decoder": "FsmnDecoderSCAMAOpt",
        "decoder_conf": decoder | {"attention_dim": 256, "linear_units": 1024},
        "decoder2": "FsmnDecoderSCAMAOpt",
        "decoder2_conf": decoder | {"attention_dim": 320, "linear_units": 1280},
        "predictor": "CifPredictorV2",
        "predictor_conf": predictor,
        "predictor2": "CifPredictorV2",
        "predictor2_conf": predictor,
        "stride_conv": "stride_conv1d",
        "stride_conv_conf": {"kernel_size": 2, "stride": 2, "pad": [0, 1]},
        "frontend": "WavFrontend",
        "frontend_conf": {
            "fs": RATE, "window": "hamming", "n_mels": 80, "frame_length": 25, "frame_shift": 10, "lfr_m": 7,
            "lfr_n": 6, "dither": 0.0,
        },
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
        "model_conf": {
            "ctc_weight": 0.0, "lsm_weight": 0.1, "length_normalized_loss": True, "predictor_weight": 1.0,
            "decoder_attention_chunk_type": "chunk", "ctc_weight2": 0.0, "predictor_weight2": 1.0,
            "decoder_attention_chunk_type2": "chunk", "loss_weight_model1": 0.5,
        },
        "normalize": None,
    }  # fmt: skip


def write_template(directory: Path, tokens_per_s: float = 5.0) -> Path:
    """The model in the published 1.x layout."""
    directory.mkdir(parents=True, exist_ok=True)
    tokens = ["<blank>", "<s>", "</s>", *(chr(0x30A1 + i) for i in range(VOCAB - 4)), "<unk>"]
    (directory / "tokens.json").write_text(json.dumps(tokens, ensure_ascii=False), encoding="utf-8")
    (directory / "config.yaml").write_text(yaml.safe_dump(published_config(), sort_keys=False), encoding="utf-8")
    about = {
        "framework": "pytorch", "task": "auto-speech-recognition", "model": {"type": "funasr"},
        "pipeline": {"type": "funasr-pipeline"},
        "file_path_metas": {
            "init_param": "model.pt", "config": "config.yaml", "tokenizer_conf": {"token_list": "tokens.json"},
            "frontend_conf": {"cmvn_file": "am.mvn"},
        },
    }  # fmt: skip
    (directory / "configuration.json").write_text(json.dumps(about), encoding="utf-8")
    (directory / "am.mvn").write_text(_mvn(560), encoding="ascii")
    weights = directory / "model.pt"
    if not weights.exists():
        from uniasr.checkpoints import read_model
        from uniasr.networks.uniasr import UniasrNetwork

        torch.save({}, weights)
        files = read_model(directory)
        torch.manual_seed(0)
        network = UniasrNetwork(files.config)
        _make_alive(network, tokens_per_s)
        torch.save(network.state_dict(), weights)
    return directory


def _make_alive(network: torch.nn.Module, tokens_per_s: float) -> None:
    """Alphas that fire `tokens_per_s` tokens, and no `</s>` before the end."""
    with torch.no_grad():
        for number, row_ms in ((1, 60.0), (2, 120.0)):
            suffix = "" if number == 1 else "2"
            alpha = tokens_per_s * row_ms / 1000
            getattr(network, f"predictor{suffix}").cif_output.weight.mul_(0.1)
            getattr(network, f"predictor{suffix}").cif_output.bias.fill_(float(np.log(alpha / (1 - alpha))))
            getattr(network, f"decoder{suffix}").output_layer.bias[2] = -30.0


def _mvn(size: int) -> str:
    shift, scale = " ".join(["-8.0"] * size), " ".join(["0.25"] * size)
    return (
        f"<Nnet>\n<Splice> {size} {size}\n[ 0 ]\n<AddShift> {size} {size}\n<LearnRateCoef> 0 [ {shift} ]\n"
        f"<Rescale> {size} {size}\n<LearnRateCoef> 0 [ {scale} ]\n</Nnet>\n"
    )


def speech_like(seconds: float) -> np.ndarray:
    """Noise with the slow loudness changes of speech, so that features vary; made in pieces, to need no more memory."""
    random, step = np.random.default_rng(1), 10 * RATE
    samples = np.empty(int(seconds * RATE), np.float32)
    for start in range(0, len(samples), step):
        piece = samples[start : start + step]
        envelope = np.repeat(random.uniform(0.02, 1.0, len(piece) // 1600 + 1), 1600)[: len(piece)]
        piece[:] = random.standard_normal(len(piece)) * envelope * 0.1
    return samples


def main() -> None:
    """Make the model and its onnxruntime directory in the folder that the first argument names."""
    from uniasr.checkpoints import read_model
    from uniasr.export.directory import export_model

    work = Path(sys.argv[1])
    model = write_template(work / "template")
    if not (work / "template-onnx").exists():
        export_model(read_model(model), work / "template-onnx")


if __name__ == "__main__":
    main()
