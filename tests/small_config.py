"""The configuration of a recogniser in the few numbers that a test cares about."""

from uniasr.configs.decoding import published_modes
from uniasr.configs.uniasr import BridgeConfig, DecoderConfig, EncoderConfig, PredictorConfig, UniasrConfig

ENCODER = {"output_size": 8, "attention_heads": 2, "linear_units": 8, "num_blocks": 1, "kernel_size": 3}
DECODER = {
    "attention_dim": 8,
    "attention_heads": 2,
    "linear_units": 8,
    "num_blocks": 2,
    "att_layer_num": 1,
    "kernel_size": 3,
}


def small_config(frontend, chunks, chunks2=None, /, *, vocab_size, encoder_sizes=None, decoder_sizes=None, **changes):
    """The sizes say where both passes differ from ENCODER and DECODER.

    `changes` are fields of UniasrConfig in place of those that follow from the sizes.
    """
    sizes = ENCODER | (encoder_sizes or {})
    decoder = DecoderConfig(**DECODER | (decoder_sizes or {}))
    width = frontend.feature_size
    fields = {
        "vocab_size": vocab_size,
        "frontend": frontend,
        "encoder": EncoderConfig(input_size=width, chunks=chunks, **sizes),
        "predictor": PredictorConfig(),
        "decoder": decoder,
        "bridge": BridgeConfig(),
        "encoder2": EncoderConfig(input_size=width + sizes["output_size"], chunks=chunks2 or chunks, **sizes),
        "predictor2": PredictorConfig(),
        "decoder2": decoder,
        "modes": published_modes(len(chunks)),
    }
    return UniasrConfig(**fields | changes)
