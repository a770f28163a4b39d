"""The `*_conf` sections of a published config.yaml, turned into a UniasrConfig.

Missing entries mean what the published classes take by default, however unlike the published models that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uniasr.checkpoints.front_end import published_frontend
from uniasr.checkpoints.section import Section
from uniasr.configs.decoding import published_modes
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.uniasr import (
    BridgeConfig,
    ChunkConfig,
    DecoderConfig,
    EncoderConfig,
    LossConfig,
    PredictorConfig,
    UniasrConfig,
)
from uniasr.errors import ModelError

NETWORK_SECTIONS = (
    "frontend_conf",
    "encoder_conf",
    "encoder2_conf",
    "decoder_conf",
    "decoder2_conf",
    "predictor_conf",
    "predictor2_conf",
    "stride_conv_conf",
    "model_conf",
)

# Where a parameter lay in the TensorFlow graph that some models come from: of no meaning after conversion.
_TENSORFLOW_NAMES = (
    "tf2torch_tensor_name_prefix_torch",
    "tf2torch_tensor_name_prefix_tf",
    "embed_tensor_name_prefix_tf",
)


def network_config(entries: Mapping[str, Any], file: str, vocab_size: int) -> UniasrConfig:
    """The network that a config.yaml describes; raises ModelError naming the file, the entry and what is supported."""
    sections = {name: Section(entries.get(name), f"{file}: {name}") for name in NETWORK_SECTIONS}
    try:
        frontend = _frontend(sections["frontend_conf"], entries, file)
        encoder = _encoder(sections["encoder_conf"], frontend.feature_size)
        encoder2 = _encoder(sections["encoder2_conf"], frontend.feature_size + encoder.output_size)
        loss, joint_training = _loss(sections["model_conf"], vocab_size)
        config = UniasrConfig(
            vocab_size=vocab_size,
            frontend=frontend,
            encoder=encoder,
            predictor=_predictor(sections["predictor_conf"], encoder.output_size),
            decoder=_decoder(sections["decoder_conf"], encoder.output_size),
            bridge=_bridge(sections["stride_conv_conf"]),
            encoder2=encoder2,
            predictor2=_predictor(sections["predictor2_conf"], encoder2.output_size),
            decoder2=_decoder(sections["decoder2_conf"], encoder2.output_size),
            loss=loss,
            modes=published_modes(len(encoder.chunks)),
            joint_training=joint_training,
        )
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(f"{file}: {error}") from error
    for section in sections.values():
        section.finish()
    return config


def _frontend(section: Section, entries: Mapping[str, Any], file: str) -> FrontendConfig:
    if "frontend_conf" not in entries:
        raise ModelError(f"{file} lacks frontend_conf; without it the features are unknown")
    top = Section({name: entries[name] for name in ("frontend", "input_size") if name in entries}, file)
    top.require("frontend", ("wav_frontend", "WavFrontend", None, "None"))
    frontend = published_frontend(section)
    top.require("input_size", (None, frontend.feature_size))
    return frontend


def _encoder(section: Section, input_size: int) -> EncoderConfig:
    section.require("input_layer", ("pe",), default="conv2d")
    section.require("normalize_before", (True,), default=True)
    section.require("concat_after", (False,), default=False)
    section.require("positionwise_layer_type", ("linear",), default="linear")
    section.require("interctc_use_conditioning", (False,), default=False)
    section.require("interctc_layer_idx", ([], None), default=[])
    section.require("sanm_shfit", (0,), default=0)
    section.require("selfattention_layer_type", ("sanm",), default="sanm")
    section.ignore("pos_enc_class", "positional_dropout_rate", "positionwise_conv_kernel_size", "padding_idx")
    section.ignore(*_TENSORFLOW_NAMES)
    return EncoderConfig(
        input_size=input_size,
        output_size=section.take_count("output_size", 256),
        attention_heads=section.take_count("attention_heads", 4),
        linear_units=section.take_count("linear_units", 2048),
        num_blocks=section.take_count("num_blocks", 6),
        kernel_size=section.take_count("kernel_size", 11),
        chunks=_chunks(section),
        dropout=section.take("dropout_rate", float, 0.1),
        attention_dropout=section.take("attention_dropout_rate", float, 0.0),
    )


def _chunks(section: Section) -> tuple[ChunkConfig, ...]:
    sizes = section.take_ints("chunk_size", (16,))
    strides = section.take_ints("stride", (10,))
    if len(strides) < len(sizes):
        raise ModelError(
            f"{section.where}: stride has {len(strides)} values, chunk_size has {len(sizes)}; give as many"
        )
    rest = []
    for name, default in (
        ("pad_left", (0,)),
        ("encoder_att_look_back_factor", (1,)),
        ("decoder_att_look_back_factor", (1,)),
    ):
        values = section.take_ints(name, default)
        # A list that is too short counts as its first value throughout.
        rest.append(values if len(values) >= len(sizes) else values[:1] * len(sizes))
    return tuple(
        ChunkConfig(
            size=size, stride=stride, pad_left=pad_left, look_back=look_back, decoder_look_back=decoder_look_back
        )
        for size, stride, pad_left, look_back, decoder_look_back in zip(sizes, strides, *rest, strict=False)
    )


def _predictor(section: Section, width: int) -> PredictorConfig:
    section.require("idim", (width,))
    section.require("threshold", (1.0,), default=1.0)
    section.require("tail_threshold", (0.0,), default=0.0)
    section.ignore("dropout", "tail_mask", *_TENSORFLOW_NAMES)
    return PredictorConfig(
        l_order=section.take("l_order", int),
        r_order=section.take("r_order", int),
        smooth_factor=section.take("smooth_factor", float, 1.0),
        noise_threshold=section.take("noise_threshold", float, 0.0),
    )


def _decoder(section: Section, encoder_width: int) -> DecoderConfig:
    section.require("input_layer", ("embed",), default="embed")
    section.require("use_output_layer", (True,), default=True)
    section.require("normalize_before", (True,), default=True)
    section.require("concat_after", (False,), default=False)
    section.ignore("pos_enc_class", "positional_dropout_rate", *_TENSORFLOW_NAMES)
    kernel_size = section.take_count("kernel_size", 21)
    section.require("sanm_shfit", (None, (kernel_size - 1) // 2))
    return DecoderConfig(
        attention_dim=section.take_count("attention_dim", encoder_width),
        attention_heads=section.take_count("attention_heads", 4),
        linear_units=section.take_count("linear_units", 2048),
        num_blocks=section.take_count("num_blocks", 6),
        att_layer_num=section.take_count("att_layer_num", 6),
        kernel_size=kernel_size,
        concat_embeds=section.take("concat_embeds", bool, False),
        dropout=section.take("dropout_rate", float, 0.1),
        self_attention_dropout=section.take("self_attention_dropout_rate", float, 0.0),
        src_attention_dropout=section.take("src_attention_dropout_rate", float, 0.0),
    )


def _bridge(section: Section) -> BridgeConfig:
    section.ignore(*_TENSORFLOW_NAMES)
    kernel_size, stride = section.take_count("kernel_size"), section.take_count("stride")
    pad = section.take_ints("pad")
    if len(pad) > 2:
        raise ModelError(f"{section.where}: pad is {list(pad)}; one or two numbers are supported")
    return BridgeConfig(kernel_size=kernel_size, stride=stride, pad=(pad[0], pad[-1]))


def _loss(section: Section, vocab_size: int) -> tuple[LossConfig, bool]:
    """Weights of the training loss, and whether the passes train jointly."""
    for name in ("decoder_attention_chunk_type", "decoder_attention_chunk_type2"):
        section.require(name, ("chunk",), default="chunk")
    for name, value in (("blank_id", 0), ("sos", 1), ("eos", 2)):
        section.require(name, (value,), default=value)
    section.require("vocab_size", (-1, None, vocab_size))
    if "ctc_weight" in section and section.take("ctc_weight", float) == 1.0:
        raise ModelError(
            f"{section.where}: ctc_weight is 1.0, a model without attention decoder; only UniASR is supported"
        )
    # Branches that only training has, and reports.
    section.ignore("ctc_weight2", "ctc2_weight", "interctc_weight", "interctc_weight2", "ignore_id", "share_embedding")
    section.ignore("report_cer", "report_wer", "sym_space", "sym_blank", "extract_feats_in_collect_stats")
    section.ignore("predictor_bias", "predictor2_bias", "enable_maas_finetune", "freeze_encoder2")
    # 0.x and the published files call it predictor_weight2, the 1.x class predictor2_weight.
    spellings = [section.take(n, float) for n in ("predictor_weight2", "predictor2_weight") if n in section]
    if len(set(spellings)) > 1:
        raise ModelError(
            f"{section.where}: predictor_weight2 is {spellings[0]} and predictor2_weight {spellings[1]}; drop one"
        )
    loss = LossConfig(
        pass1_weight=section.take("loss_weight_model1", float, 0.5),
        predictor_weight=section.take("predictor_weight", float, 0.0),
        predictor_weight2=spellings[0] if spellings else 0.0,
        label_smoothing=section.take("lsm_weight", float, 0.0),
        length_normalized=section.take("length_normalized_loss", bool, False),
    )
    return loss, section.take("encoder1_encoder2_joint_training", bool, True)
