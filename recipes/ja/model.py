"""Shape of the packaged Japanese kana model: about 8 M parameters, three latencies, 60 ms rows in both passes."""

from uniasr.configs.decoding import DoubtConfig, ModeConfig, ViewConfig
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

SIZE = 192
CHUNKS = (
    ChunkConfig(size=24, stride=10, pad_left=8),
    ChunkConfig(size=40, stride=20, pad_left=10),
    ChunkConfig(size=60, stride=40, pad_left=10),
)
CHUNKS2 = (  # second-pass strides of 3, 4.2 and 6 s
    ChunkConfig(size=70, stride=50, pad_left=10),
    ChunkConfig(size=90, stride=70, pad_left=10),
    ChunkConfig(size=130, stride=100, pad_left=15),
)


def config(vocab_size: int) -> UniasrConfig:
    """The packaged model's configuration; morae come too fast for 120 ms rows, so the bridge keeps the row rate."""
    frontend = FrontendConfig()
    encoder = {"output_size": SIZE, "attention_heads": 4, "linear_units": 768, "kernel_size": 11}
    # A few epochs of little data with SpecAugment over-fit slowly; dropout costs a third of the time.
    encoder |= {"dropout": 0.0, "attention_dropout": 0.0}
    decoder = DecoderConfig(
        attention_dim=SIZE,
        attention_heads=4,
        linear_units=512,
        num_blocks=3,
        att_layer_num=2,
        kernel_size=7,
        dropout=0.0,
        self_attention_dropout=0.0,
        src_attention_dropout=0.0,
    )
    return UniasrConfig(
        vocab_size=vocab_size,
        frontend=frontend,
        encoder=EncoderConfig(input_size=frontend.feature_size, num_blocks=6, chunks=CHUNKS, **encoder),
        predictor=PredictorConfig(),
        decoder=decoder,
        bridge=BridgeConfig(kernel_size=1, stride=1, pad=(0, 0)),
        encoder2=EncoderConfig(input_size=frontend.feature_size + SIZE, num_blocks=4, chunks=CHUNKS2, **encoder),
        predictor2=PredictorConfig(),
        decoder2=decoder,
        loss=LossConfig(label_smoothing=0.1),
        modes={
            "fast": ModeConfig(pass_number=1, latency=0, beam_size=30),
            "normal": ModeConfig(pass_number=2, latency=0, final_latency=2),
            "offline": ModeConfig(pass_number=2, latency=2),
        },
        beam_size=40,
        converter_weight=0.7,
        lm_weight=0.25,
        segment_s=3.0,
        pause_s=0.8,
        ctc_heads=True,
        ctc_rescoring=0.8,
        doubt=DoubtConfig(views=(ViewConfig(warp=1.12), ViewConfig(speed=0.9)), least=0.15, tokens=8),
    )
