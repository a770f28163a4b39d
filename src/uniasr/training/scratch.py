"""Training from nothing: a yaml file names the data, the tokens and the shape of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uniasr.checkpoints import read_model
from uniasr.checkpoints.documents import read_yaml
from uniasr.configs.decoding import published_modes
from uniasr.configs.frontend import FrontendConfig
from uniasr.configs.records import from_plain
from uniasr.configs.uniasr import (
    BridgeConfig,
    ChunkConfig,
    DecoderConfig,
    EncoderConfig,
    LossConfig,
    PredictorConfig,
    UniasrConfig,
)
from uniasr.features.cmvn import Cmvn
from uniasr.hub import resolve
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.text.vocabulary import Vocabulary
from uniasr.training.batches import Batches, BatchOptions
from uniasr.training.data.labels import BPE_FILE, KINDS, build_vocabulary
from uniasr.training.data.prepare import DataOptions, Prepared, prepare
from uniasr.training.fitting import RUN, Extras, RunOptions, first_alone, fit
from uniasr.training.processes import joined
from uniasr.training.result import check_export, check_place
from uniasr.training.snapshots import replace_file
from uniasr.training.start import start_from

CMVN_FILE = "cmvn.npy"
CMVN_ROWS = 200_000
"""Rows that mean and deviation are measured on, about three hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A network in a few numbers; sizes of both passes are equal."""

    size: int = 192
    heads: int = 4
    units: int = 768
    blocks: int = 6
    blocks2: int = 4
    kernel_size: int = 11
    decoder_units: int = 512
    decoder_blocks: int = 3
    decoder_attending: int = 2
    decoder_kernel_size: int = 7
    dropout: float = 0.1
    bridge_stride: int = 1
    """Rows of pass 1 in one row of pass 2: 1 or 2."""
    chunks: tuple[ChunkConfig, ...] = (
        ChunkConfig(size=24, stride=10, pad_left=8),
        ChunkConfig(size=40, stride=20, pad_left=10),
        ChunkConfig(size=60, stride=40, pad_left=10),
    )
    """One latency each, of pass 1; the first is that of `fast` and `normal`, the last that of `offline`."""
    chunks2: tuple[ChunkConfig, ...] = (
        ChunkConfig(size=70, stride=50, pad_left=10),
        ChunkConfig(size=90, stride=70, pad_left=10),
        ChunkConfig(size=130, stride=100, pad_left=15),
    )
    """The same latencies of pass 2."""

    def config(self, vocab_size: int, frontend: FrontendConfig, loss: LossConfig) -> UniasrConfig:
        """The whole configuration; raises ValueError for sizes that do not fit."""
        encoder: dict[str, Any] = {
            "output_size": self.size,
            "attention_heads": self.heads,
            "linear_units": self.units,
            "kernel_size": self.kernel_size,
            "dropout": self.dropout,
            "attention_dropout": self.dropout,
        }
        decoder = DecoderConfig(
            attention_dim=self.size,
            attention_heads=self.heads,
            linear_units=self.decoder_units,
            num_blocks=self.decoder_blocks,
            att_layer_num=self.decoder_attending,
            kernel_size=self.decoder_kernel_size,
            dropout=self.dropout,
            self_attention_dropout=self.dropout,
            src_attention_dropout=self.dropout,
        )
        size = frontend.feature_size
        modes = published_modes(len(self.chunks))
        modes["offline"] = replace(modes["offline"], latency=len(self.chunks) - 1)
        return UniasrConfig(
            vocab_size=vocab_size,
            frontend=frontend,
            encoder=EncoderConfig(input_size=size, num_blocks=self.blocks, chunks=self.chunks, **encoder),
            predictor=PredictorConfig(),
            decoder=decoder,
            bridge=BridgeConfig(
                kernel_size=self.bridge_stride, stride=self.bridge_stride, pad=(0, self.bridge_stride - 1)
            ),
            encoder2=EncoderConfig(
                input_size=size + self.size, num_blocks=self.blocks2, chunks=self.chunks2, **encoder
            ),
            predictor2=PredictorConfig(),
            decoder2=decoder,
            loss=loss,
            modes=modes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the finished model decodes: entries of its model.yaml that training itself does not need."""

    beam_size: int = 5
    ctc_heads: bool = False
    """Whether the CTC heads stay: text needs evidence from them that something was said."""
    ctc_rescoring: float = 0.0
    """Their weight in the choice among hypotheses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the yaml file says."""

    data: tuple[str, ...]
    output: str
    init: str = ""
    """A model of the same shape, by directory or name, whose weights and normalisation training begins with."""
    tokenizer: str = "characters"
    bpe_size: int = 1000
    language: str = ""
    shape: Shape = field(default_factory=Shape)
    frontend: FrontendConfig = field(default_factory=FrontendConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    run: RunOptions = field(default_factory=lambda: RunOptions(lr=1e-3, ctc_weight=0.3, batch_bins=4000))
    reading: DataOptions = field(default_factory=DataOptions)
    serving: Serving = field(default_factory=Serving)

    def __post_init__(self) -> None:
        if self.tokenizer not in KINDS:
            raise ValueError(f"tokenizer is {self.tokenizer!r:.80}; choose one of {', '.join(KINDS)}")
        if self.serving.ctc_heads and not self.run.ctc_weight:
            raise ValueError("serving.ctc_heads is true, but run.ctc_weight is 0: the heads would learn nothing")
        self.config(4)  # impossible numbers are told before the data is read

    def config(self, vocab_size: int) -> UniasrConfig:
        """The whole configuration."""
        serving = {one.name: getattr(self.serving, one.name) for one in fields(self.serving)}
        return replace(self.shape.config(vocab_size, self.frontend, self.loss), **serving)


def read_plan(path: Path) -> Plan:
    """A plan from a yaml file; raises ModelError naming the entry that is wrong."""
    return from_plain(Plan, read_yaml(path), str(path))


def train(path: str | Path, *, device: str = "cpu", tell: Callable[[str], None] = lambda line: None) -> Path:
    """Train as a yaml file says; call it again to go on after a stop. Arguments and errors as in `finetune`."""
    plan = read_plan(Path(path))
    output, origin = Path(plan.output), plan.init or "nothing"
    check_export()
    check_place(output, output / RUN, origin)
    with joined(device) as processes:
        say = tell if processes.is_first else lambda line: None
        bpe = output / RUN / BPE_FILE if plan.tokenizer == "bpe" else None
        config = plan.config(4)
        make = partial(_vocabulary, plan, output / RUN)
        data = [Path(place) for place in plan.data]
        # The vocabulary covers the training transcripts; what only the development set has cannot be learned.
        reading = replace(plan.reading, unknown=plan.reading.unknown or "drop")
        prepared = first_alone(
            processes,
            lambda first: prepare(data, make, config, reading, output / RUN, bpe, first=first),
        )
        for note in prepared.notes:
            say(note)
        config = plan.config(len(prepared.vocabulary))
        start = read_model(resolve(plan.init)) if plan.init else None
        cmvn = start.cmvn if start else first_alone(processes, lambda _: _cmvn_of_run(output, prepared, plan.frontend))
        torch.manual_seed(plan.run.seed)
        network = UniasrNetwork(config, ctc=bool(plan.run.ctc_weight))
        parameters = sum(parameter.numel() for parameter in network.parameters())
        say(f"{len(prepared.vocabulary)} tokens, {parameters / 1e6:.1f} M parameters")
        if start:
            say(f"{plan.init}: it knows {start_from(network, start, prepared.vocabulary)} of the tokens")
        extras = Extras(origin, {"language": plan.language} if plan.language else {}, () if bpe is None else (bpe,))
        return fit(network, prepared, cmvn, output, plan.run, processes, extras, tell=say)


def _vocabulary(plan: Plan, run: Path, texts: Iterable[str]) -> Vocabulary:
    return build_vocabulary(plan.tokenizer, texts, size=plan.bpe_size, directory=run)


def _cmvn_of_run(output: Path, prepared: Prepared, frontend: FrontendConfig) -> Cmvn:
    """The run's normalisation, measured once."""
    path = output / RUN / CMVN_FILE
    if not path.exists():
        measured = measure_cmvn(prepared, frontend)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda file: np.save(file, np.stack([measured.shift, measured.scale])))
    return Cmvn(*np.load(path))


def measure_cmvn(prepared: Prepared, frontend: FrontendConfig) -> Cmvn:
    """Mean and deviation of every mel bin over the first batches, repeated for the stacked frames."""
    plain = Cmvn(np.zeros(frontend.feature_size, np.float32), np.ones(frontend.feature_size, np.float32))
    total, squares, frames = np.zeros(frontend.n_mels), np.zeros(frontend.n_mels), 0
    for batch in Batches(prepared.train, plain, BatchOptions(join_share=0.0)).epoch(0):
        inside = np.arange(batch.rows.shape[1]) < batch.row_counts[:, None]
        mels = batch.rows[inside].reshape(-1, frontend.n_mels).astype(np.float64)
        total += mels.sum(axis=0)
        squares += np.square(mels).sum(axis=0)
        frames += len(mels)
        if frames > CMVN_ROWS * frontend.lfr_m:
            break
    mean = total / frames
    deviation = np.sqrt(np.maximum(squares / frames - mean**2, 1e-8))
    shift, scale = np.tile(-mean, frontend.lfr_m), np.tile(1 / deviation, frontend.lfr_m)
    return Cmvn(shift.astype(np.float32), scale.astype(np.float32))
