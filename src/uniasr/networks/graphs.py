"""The runtime graphs of every family: the network's modules with named inputs and outputs, as engines run them.

The torch engine calls these modules; the export writes them as ONNX. Shapes: docs/graphs.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from uniasr.configs.uniasr import EncoderConfig, UniasrConfig
from uniasr.networks.ct_transformer import CtTransformerNetwork
from uniasr.networks.fsmn_vad import FsmnVadNetwork
from uniasr.networks.layers.cif import Predictor
from uniasr.networks.layers.fsmn_decoder import ScamaDecoder
from uniasr.networks.layers.sanm import ChunkEncoder, LookBack
from uniasr.networks.uniasr import CtcHead, UniasrNetwork

EOS = 2
TOP_K = 32
"""Candidates that a decoder step returns per hypothesis (all of a smaller vocabulary)."""


@dataclass(frozen=True)
class Graph:
    """A module, the names of its inputs and outputs, which axes vary, and inputs to trace it with."""

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    axes: dict[str, dict[int, str]]
    example: Callable[[], tuple[Tensor, ...]]


class EncoderGraph(nn.Module):
    """Chunks -> rows and alphas."""

    def __init__(self, encoder: ChunkEncoder, predictor: Predictor) -> None:
        super().__init__()
        self.encoder, self.predictor = encoder, predictor

    def forward(self, chunks: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """[C, K, F] and [C, K] -> [C, K, D] and [C, K]."""
        rows, _, _ = self.encoder(chunks, valid)
        return rows, self.predictor(rows, valid)


class LookBackEncoderGraph(EncoderGraph):
    """Chunks and rows of earlier chunks -> rows, alphas, and keys and values for later chunks."""

    def forward(  # type: ignore[override]
        self, chunks: Tensor, valid: Tensor, past_keys: Tensor, past_values: Tensor, predecessors: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The same with past [P, layers, S, D] and predecessors [C, Be]."""
        rows, keys, values = self.encoder(chunks, valid, LookBack(past_keys, past_values, predecessors))
        return rows, self.predictor(rows, valid), keys, values


class MemoryGraph(nn.Module):
    """Rows of chunks -> keys and values of all cross-attentions."""

    def __init__(self, decoder: ScamaDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """[C, K, D] -> [C, layers, H, A / H, K] and [C, layers, H, K, A / H]."""
        return self.decoder.memory(rows)


class CtcGraph(nn.Module):
    """Rows of chunks -> log-probabilities of the CTC head."""

    def __init__(self, head: CtcHead) -> None:
        super().__init__()
        self.ctc = head

    def forward(self, rows: Tensor) -> Tensor:
        """[C, K, D] -> [C, K, V]."""
        log_probs: Tensor = self.ctc(rows)
        return log_probs


class DecoderGraph(nn.Module):
    """One step of the search -> the best candidates of each hypothesis, and the next caches."""

    def __init__(self, decoder: ScamaDecoder, vocab_size: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.top_k = min(TOP_K, vocab_size)

    def forward(
        self, tokens: Tensor, acoustic: Tensor, keys: Tensor, values: Tensor, window: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Log-probabilities [U, B, V], the top ones and their ids [U, B, top], those of `</s>` [U, B], the cache."""
        log_probs, cache = self.decoder.step(tokens, acoustic, keys, values, window, cache)
        top, ids = torch.topk(log_probs, self.top_k, dim=-1)
        return log_probs, top, ids, log_probs[:, :, EOS], cache


def uniasr_graphs(network: UniasrNetwork) -> dict[str, Graph]:
    """All graphs of a network, by the names that recognisers use."""
    config = network.config
    graphs = {"bridge": _bridge_graph(network)}
    for suffix, encoder_config, number in (("", config.encoder, 1), ("2", config.encoder2, 2)):
        encoder = getattr(network, f"encoder{suffix}")
        decoder = getattr(network, f"decoder{suffix}")
        graphs[f"encoder{suffix}"] = _encoder_graph(encoder, getattr(network, f"predictor{suffix}"), encoder_config)
        graphs[f"memory{suffix}"] = _memory_graph(decoder, encoder_config)
        graphs[f"decoder{suffix}"] = _decoder_graph(decoder, config, number)
        if config.ctc_heads:
            graphs[f"ctc{suffix}"] = _ctc_graph(getattr(network, f"ctc{suffix}"), encoder_config)
    return graphs


def _bridge_graph(network: UniasrNetwork) -> Graph:
    width = network.config.encoder2.input_size * network.config.bridge.kernel_size
    return Graph(
        network.stride_conv,
        ("windows",),
        ("out",),
        {"windows": {0: "C", 1: "K"}, "out": {0: "C", 1: "K"}},
        lambda: (torch.randn(2, 5, width),),
    )


def _encoder_graph(encoder: ChunkEncoder, predictor: Predictor, config: EncoderConfig) -> Graph:
    size, stride = config.chunks[0].size, config.chunks[0].stride
    chunks = {"chunks": {0: "C", 1: "K"}, "valid": {0: "C", 1: "K"}}
    out = {"rows": {0: "C", 1: "K"}, "alphas": {0: "C", 1: "K"}}
    if not config.look_back:
        return Graph(
            EncoderGraph(encoder, predictor),
            ("chunks", "valid"),
            ("rows", "alphas"),
            {**chunks, **out},
            lambda: (torch.randn(3, size, config.input_size), torch.ones(3, size)),
        )
    most = max(chunk.look_back for chunk in config.chunks)
    past = {0: "P", 2: "S"}
    kept = {0: "C", 2: "S"}
    return Graph(
        LookBackEncoderGraph(encoder, predictor),
        ("chunks", "valid", "past_keys", "past_values", "predecessors"),
        ("rows", "alphas", "keys", "values"),
        {
            **chunks,
            "past_keys": past,
            "past_values": past,
            "predecessors": {0: "C"},
            **out,
            "keys": kept,
            "values": kept,
        },
        lambda: (
            torch.randn(3, size, config.input_size),
            torch.ones(3, size),
            torch.zeros(2, config.num_blocks, stride, config.output_size),
            torch.zeros(2, config.num_blocks, stride, config.output_size),
            torch.zeros(3, most, dtype=torch.int64),
        ),
    )


def _memory_graph(decoder: ScamaDecoder, config: EncoderConfig) -> Graph:
    axes = {"rows": {0: "C", 1: "K"}, "keys": {0: "C", 4: "K"}, "values": {0: "C", 3: "K"}}
    return Graph(
        MemoryGraph(decoder), ("rows",), ("keys", "values"), axes, lambda: (torch.randn(3, 7, config.output_size),)
    )


def _ctc_graph(head: CtcHead, config: EncoderConfig) -> Graph:
    axes = {"rows": {0: "C", 1: "K"}, "log_probs": {0: "C", 1: "K"}}
    return Graph(CtcGraph(head), ("rows",), ("log_probs",), axes, lambda: (torch.randn(3, 7, config.output_size),))


def _decoder_graph(decoder: ScamaDecoder, config: UniasrConfig, number: int) -> Graph:
    own, size = config.decoder_of(number), config.encoder_of(number).output_size
    head = own.attention_dim // own.attention_heads
    beam = {0: "U", 1: "B"}
    axes = {
        "tokens": beam,
        "acoustic": {0: "U"},
        "keys": {0: "U", 4: "W"},
        "values": {0: "U", 3: "W"},
        "window": {0: "U", 1: "W"},
        "cache": beam,
        "log_probs": beam,
        "top_log_probs": beam,
        "top_ids": beam,
        "end_log_probs": beam,
        "next_cache": beam,
    }
    return Graph(
        DecoderGraph(decoder, config.vocab_size),
        ("tokens", "acoustic", "keys", "values", "window", "cache"),
        ("log_probs", "top_log_probs", "top_ids", "end_log_probs", "next_cache"),
        axes,
        lambda: (
            torch.ones(2, 3, dtype=torch.int64),
            torch.randn(2, size),
            torch.randn(2, own.att_layer_num, own.attention_heads, head, 7),
            torch.randn(2, own.att_layer_num, own.attention_heads, 7, head),
            torch.ones(2, 7),
            torch.zeros(2, 3, own.num_blocks, own.kernel_size - 1, own.attention_dim),
        ),
    )


def fsmn_vad_graphs(network: FsmnVadNetwork) -> dict[str, Graph]:
    """The one graph of an FSMN-VAD, by the name that its recogniser uses."""
    config = network.config
    rows, past = {0: "U", 1: "K"}, {0: "U"}
    graph = Graph(
        network,
        ("rows", "counts", "cache"),
        ("scores", "next_cache"),
        {"rows": rows, "counts": past, "cache": past, "scores": rows, "next_cache": past},
        lambda: (
            torch.randn(2, 7, config.input_dim),
            torch.tensor([7, 5]),
            torch.zeros(2, config.fsmn_layers, config.cache_rows, config.proj_dim),
        ),
    )
    return {"fsmn_vad": graph}


def ct_transformer_graphs(network: CtTransformerNetwork) -> dict[str, Graph]:
    """The only graph of a punctuation model (docs/families/ct_transformer.md)."""
    size = network.config.embed_size
    axes = {"ids": {0: "W", 1: "K"}, "positions": {0: "K"}, "valid": {0: "W", 1: "K"}, "logits": {0: "W", 1: "K"}}
    if network.config.causal:
        axes["cached"] = {0: "W"}
    graph = Graph(
        network,
        ("ids", "positions", "valid", "cached"),
        ("logits",),
        axes,
        lambda: (
            torch.zeros(2, 8, dtype=torch.int64),
            torch.zeros(8, size),
            torch.ones(2, 8),
            torch.tensor([3, 0]),
        ),
    )
    return {"punctuation": graph}
