"""The shape of a UniASR model: two chunked encoders, two CIF predictors, two decoders, and the bridge between.

Source: funasr 1.4.16 funasr/models/{uniasr,scama,sanm,paraformer}; the names in brackets are the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from uniasr.configs.decoding import ConfidenceConfig, DoubtConfig, ModeConfig, check_beam
from uniasr.configs.frontend import FrontendConfig
from uniasr.types import MODES

MAX_SHIFT_MS = 500.0
"""Time stamps that a model needs to be shifted by more are no time stamps."""
MAX_WEIGHT = 10.0
"""With a larger weight of a judge the search would have no say."""
_MOST = 2**16
"""Beyond any size of a network, so that a damaged file does not fill a computer's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkConfig:
    """One trained latency of one encoder. All sizes in rows of that encoder's input."""

    size: int
    """Rows the encoder sees at once [chunk_size]."""
    stride: int
    """Rows kept, and rows between two chunks [stride]."""
    pad_left: int = 0
    """Rows of the past inside the chunk [pad_left]."""
    look_back: int = 0
    """Earlier chunks whose first `stride` rows are attended to [encoder_att_look_back_factor]."""
    decoder_look_back: int = 0
    """Earlier chunks whose kept rows the decoder sees [decoder_att_look_back_factor]."""

    def __post_init__(self) -> None:
        if self.stride < 1 or self.pad_left < 0 or self.look_ahead < 0:
            raise ValueError(
                f"chunk_size {self.size}, stride {self.stride} and pad_left {self.pad_left} do not fit: "
                "stride >= 1, pad_left >= 0 and stride + pad_left <= chunk_size must hold"
            )
        if max(self.size, self.look_back, self.decoder_look_back) > _MOST:
            raise ValueError(f"chunk_size or a look-back factor is larger than {_MOST}; no model has such")
        if self.look_back < 0 or self.decoder_look_back < 0:
            raise ValueError(
                f"look-back factors {self.look_back}, {self.decoder_look_back} are not supported; they must be >= 0"
            )

    @property
    def look_ahead(self) -> int:
        """Rows of the future inside the chunk."""
        return self.size - self.stride - self.pad_left


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """SAN-M encoder over chunks [SANMEncoderChunkOpt]."""

    input_size: int
    output_size: int
    attention_heads: int
    linear_units: int
    num_blocks: int
    kernel_size: int
    """Rows under the depthwise convolution (FSMN memory)."""
    chunks: tuple[ChunkConfig, ...]
    dropout: float = 0.1
    attention_dropout: float = 0.1

    def __post_init__(self) -> None:
        _positive(self, "input_size", "output_size", "attention_heads", "linear_units", "num_blocks", "kernel_size")
        if self.output_size % self.attention_heads:
            raise ValueError(f"output_size {self.output_size} is no multiple of {self.attention_heads} heads")
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size {self.kernel_size} is even; chunks would leak into each other: use an odd one"
            )
        if self.input_size % 2:
            raise ValueError(f"input_size {self.input_size} is odd; the position code needs an even one")
        if not self.chunks:
            raise ValueError("chunks is empty; at least one latency is needed")

    @property
    def look_back(self) -> bool:
        """Whether any latency attends to earlier chunks (the graph then carries keys and values)."""
        return any(chunk.look_back for chunk in self.chunks)


def _positive(config: object, *names: str) -> None:
    for name in names:
        if not 1 <= getattr(config, name) <= _MOST:
            raise ValueError(f"{name} is {getattr(config, name)}; it must lie in 1..{_MOST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorConfig:
    """CIF weights from encoder rows [CifPredictorV2]."""

    l_order: int = 1
    r_order: int = 1
    smooth_factor: float = 1.0
    noise_threshold: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderConfig:
    """Autoregressive FSMN decoder with SCAMA cross-attention [FsmnDecoderSCAMAOpt]."""

    attention_dim: int
    attention_heads: int
    linear_units: int
    num_blocks: int
    att_layer_num: int
    """Leading layers that have cross-attention."""
    kernel_size: int
    """Steps under the causal memory, the current one included."""
    concat_embeds: bool = True
    """Whether a step also gets the fired acoustic embedding."""
    dropout: float = 0.1
    self_attention_dropout: float = 0.1
    src_attention_dropout: float = 0.1

    def __post_init__(self) -> None:
        _positive(self, "attention_dim", "attention_heads", "linear_units", "num_blocks", "kernel_size")
        if self.attention_dim % self.attention_heads:
            raise ValueError(f"attention_dim {self.attention_dim} is no multiple of {self.attention_heads} heads")
        if self.kernel_size % 2 == 0 or self.kernel_size < 3:
            raise ValueError(f"decoder kernel_size {self.kernel_size} must be odd and at least 3 to be causal")
        if not 1 <= self.att_layer_num <= self.num_blocks:
            raise ValueError(f"att_layer_num {self.att_layer_num} must lie in 1..{self.num_blocks}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeConfig:
    """Strided convolution from the first pass's rows to the second's [stride_conv]."""

    kernel_size: int = 2
    stride: int = 2
    pad: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if sum(self.pad) != self.kernel_size - 1 or min(self.pad) < 0 or self.stride < 1:
            raise ValueError(
                f"stride_conv pad {self.pad} does not fit kernel_size {self.kernel_size}; it must sum to one less"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Weights of the training objective [model_conf]."""

    pass1_weight: float = 0.5
    """Share of the first pass in the loss [loss_weight_model1]."""
    predictor_weight: float = 1.0
    predictor_weight2: float = 1.0
    label_smoothing: float = 0.1
    """[lsm_weight]"""
    length_normalized: bool = True
    """Normalise by tokens instead of utterances [length_normalized_loss]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniasrConfig:
    """Everything but the weights, the vocabulary's words and the CMVN values."""

    vocab_size: int
    frontend: FrontendConfig
    encoder: EncoderConfig
    predictor: PredictorConfig
    decoder: DecoderConfig
    bridge: BridgeConfig
    encoder2: EncoderConfig
    predictor2: PredictorConfig
    decoder2: DecoderConfig
    loss: LossConfig = field(default_factory=LossConfig)
    modes: dict[str, ModeConfig] = field(default_factory=dict)
    time_shift_ms: tuple[float, float] = (0.0, 0.0)
    """How much later than the firings of each pass the speech is, as measured on speech with known times."""
    confidence: tuple[ConfidenceConfig, ConfidenceConfig] = (ConfidenceConfig(), ConfidenceConfig())
    """How the probabilities of each pass become confidences, as fitted on speech that was not trained on."""
    beam_size: int = 5
    """Default of `DecodingOptions.beam_size` in modes that have none of their own: wider beams pay where something
    judges whole hypotheses."""
    converter_weight: float = 0.4
    """Default of `DecodingOptions.converter_weight`."""
    lm_weight: float = 0.3
    """Default of `DecodingOptions.lm_weight`."""
    segment_s: float = 20.0
    """Default of `DecodingOptions.segment_s`: how much speech between two restarts suits the model best."""
    pause_s: float = 0.6
    """Default of `DecodingOptions.pause_s`."""
    ctc_heads: bool = False
    """Whether the CTC heads serve at run time too: a segment's text counts only if the head of its pass finds it more
    probable than none."""
    ctc_rescoring: float = 0.0
    """How much the log-probability of the head counts in the choice among the hypotheses of a segment."""
    doubt: DoubtConfig | None = None
    """Which segments are heard in other ways too, in modes that promise nothing of them before they are closed; None:
    none."""
    joint_training: bool = True
    """Whether the second pass's gradient reaches the first encoder [encoder1_encoder2_joint_training]."""

    def __post_init__(self) -> None:
        if self.encoder.input_size != self.frontend.feature_size:
            raise ValueError(
                f"encoder input_size {self.encoder.input_size} is not the front end's {self.frontend.feature_size}"
            )
        if self.encoder2.input_size != self.encoder.input_size + self.encoder.output_size:
            raise ValueError(
                f"encoder2 input_size {self.encoder2.input_size} is not features plus encoder rows "
                f"({self.encoder.input_size} + {self.encoder.output_size})"
            )
        if len(self.encoder.chunks) != len(self.encoder2.chunks):
            raise ValueError(
                f"encoder has {len(self.encoder.chunks)} latencies and encoder2 {len(self.encoder2.chunks)}"
            )
        for encoder, predictor in ((self.encoder, self.predictor), (self.encoder2, self.predictor2)):
            if max(predictor.l_order, predictor.r_order) > encoder.kernel_size // 2:
                raise ValueError(
                    f"predictor orders {predictor.l_order}, {predictor.r_order} reach beyond the gap of "
                    f"{encoder.kernel_size // 2} rows between chunks; this is not supported"
                )
        self._check_decoding()
        for name in MODES:
            mode = self.modes.get(name)
            known = mode is not None and {mode.latency, mode.final_latency} <= {None, *range(self.num_latencies)}
            if mode is None or not known or mode.pass_number not in (1, 2):
                raise ValueError(f"modes.{name} is {mode}; it must name pass 1 or 2 and latencies that there are")

    def _check_decoding(self) -> None:
        if not all(abs(shift) <= MAX_SHIFT_MS for shift in self.time_shift_ms):
            raise ValueError(f"time_shift_ms is {self.time_shift_ms}; no shift may exceed {MAX_SHIFT_MS:.0f} ms")
        check_beam(self.beam_size)
        if not (self.segment_s > 0 and self.pause_s > 0):
            raise ValueError(f"segment_s is {self.segment_s} and pause_s {self.pause_s}; give positive seconds")
        for name in ("ctc_rescoring", "converter_weight", "lm_weight"):
            if not 0 <= (weight := getattr(self, name)) <= MAX_WEIGHT:
                raise ValueError(f"{name} is {weight}; it must lie between 0 and {MAX_WEIGHT:.0f}")
        if self.ctc_rescoring and not self.ctc_heads:
            raise ValueError(f"ctc_rescoring is {self.ctc_rescoring}, but ctc_heads is false: nothing would judge")
        if self.doubt and not self.ctc_rescoring:
            raise ValueError("doubt is given, but ctc_rescoring is 0: no head would doubt or choose")

    @property
    def num_latencies(self) -> int:
        """Trained chunk configurations."""
        return len(self.encoder.chunks)

    def beam_of(self, mode: str) -> int:
        """Hypotheses that a mode keeps where a call does not say how many."""
        own = self.modes[mode].beam_size
        return self.beam_size if own is None else own

    def encoder_of(self, pass_number: int) -> EncoderConfig:
        """The encoder that a pass decodes from."""
        return self.encoder if pass_number == 1 else self.encoder2

    def decoder_of(self, pass_number: int) -> DecoderConfig:
        """The decoder of a pass."""
        return self.decoder if pass_number == 1 else self.decoder2

    def row_ms(self, pass_number: int) -> float:
        """Audio per row of a pass's encoder."""
        return self.frontend.row_ms * (1 if pass_number == 1 else self.bridge.stride)
