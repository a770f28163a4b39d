"""UniASR: two chunked encoders, two CIF predictors and two decoders in one set of weights.

    features -> encoder -> predictor, decoder                             first pass
    features, encoder rows -> stride_conv -> encoder2 -> predictor2, decoder2    second pass

The modules here know chunks, not utterances: cutting, integration and search are numpy and live in `features`,
`decoding` and `recognizers`; training has its own composition in `uniasr.training.objective`.
Source: arXiv 2010.14099; funasr 1.4.16 funasr/models/uniasr/model.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from uniasr.configs.uniasr import UniasrConfig
from uniasr.networks.layers.cif import Predictor
from uniasr.networks.layers.fsmn_decoder import ScamaDecoder
from uniasr.networks.layers.sanm import Bridge, ChunkEncoder


class CtcHead(nn.Module):
    """Linear CTC output on encoder rows: a training aid, and at run time where `ctc_heads` says so."""

    def __init__(self, size: int, vocab_size: int) -> None:
        super().__init__()
        self.ctc_lo = nn.Linear(size, vocab_size)

    def forward(self, rows: Tensor) -> Tensor:
        """[C, K, D] -> log-probabilities [C, K, V]."""
        return torch.log_softmax(self.ctc_lo(rows), dim=-1)


class UniasrNetwork(nn.Module):
    """The parts of a UniASR model, with the published parameter names."""

    def __init__(self, config: UniasrConfig, *, ctc: bool = False) -> None:
        super().__init__()
        self.config = config
        size, size2 = config.encoder.output_size, config.encoder2.output_size
        self.encoder = ChunkEncoder(config.encoder)
        self.predictor = Predictor(size, config.predictor)
        self.decoder = ScamaDecoder(config.decoder, config.vocab_size, size)
        self.stride_conv = Bridge(config.encoder2.input_size, config.bridge.kernel_size, config.bridge.stride)
        self.encoder2 = ChunkEncoder(config.encoder2)
        self.predictor2 = Predictor(size2, config.predictor2)
        self.decoder2 = ScamaDecoder(config.decoder2, config.vocab_size, size2)
        if ctc or config.ctc_heads:
            self.ctc = CtcHead(size, config.vocab_size)
            self.ctc2 = CtcHead(size2, config.vocab_size)
