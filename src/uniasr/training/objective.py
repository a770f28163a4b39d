"""The two-pass objective: chunked encoders, CIF with target lengths, teacher-forced decoders, quantity and CTC losses.

Source: funasr 1.4.16 funasr/models/uniasr/model.py; weights and masks as described in docs/families/uniasr.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from uniasr.configs.uniasr import ChunkConfig, UniasrConfig
from uniasr.features.chunks import chunk_count, source_rows, valid_rows
from uniasr.features.positions import position_codes
from uniasr.networks.layers.cif import Integrated, Predictor, integrate
from uniasr.networks.layers.fsmn_decoder import ScamaDecoder
from uniasr.networks.layers.sanm import ChunkEncoder, LookBack
from uniasr.networks.uniasr import CtcHead, UniasrNetwork

SOS, EOS, IGNORED = 1, 2, -1


class Layout(NamedTuple):
    """Where the rows of a padded batch lie in its chunks. N chunks of K rows, the utterances one after another."""

    source: Tensor
    """[N, K] place in the flattened batch [B * T], or B * T for a zero row."""
    valid: Tensor
    """[N, K] 1.0 for rows of a chunk."""
    kept: Tensor
    """[B, T] place of each row in the flattened chunks [N * K]; 0 beyond the end."""
    chunks: Tensor
    """[B, M] number of each utterance's chunks; N beyond the last one."""
    predecessors: Tensor
    """[N, Be] place 1 + n of the chunks before, 0 where there is none."""


def lay_out(counts: list[int], length: int, chunk: ChunkConfig, device: torch.device) -> Layout:
    """Cut utterances of `counts` rows, padded to `length`, into chunks (the geometry is features.chunks')."""
    numbers = [chunk_count(count, chunk) for count in counts]
    firsts = np.cumsum([0, *numbers])
    source = np.concatenate([source_rows(0, n, chunk) for n in numbers])
    valid = np.concatenate([valid_rows(0, n, count, chunk) for n, count in zip(numbers, counts, strict=True)])
    owner = np.repeat(np.arange(len(counts)), numbers)
    inside = (source >= 0) & (source < np.array(counts)[owner, None]) & valid
    source = np.where(inside, source + owner[:, None] * length, len(counts) * length)
    width = int(valid.sum(axis=1).max())  # padding that no chunk of the batch uses is not computed
    rows = np.arange(length)
    kept = (firsts[:-1, None] + rows // chunk.stride) * width + chunk.pad_left + rows % chunk.stride
    kept = np.where(rows < np.array(counts)[:, None], kept, 0)
    place = np.arange(max(numbers))
    chunks = np.where(place < np.array(numbers)[:, None], firsts[:-1, None] + place, len(owner))
    number = np.arange(len(owner)) - firsts[owner]
    back = np.arange(chunk.look_back, 0, -1)
    predecessors = np.where(number[:, None] >= back, np.arange(len(owner))[:, None] - back + 1, 0)
    arrays = (source[:, :width], valid[:, :width].astype(np.float32), kept, chunks, predecessors)
    return Layout(*(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))


class Encoded(NamedTuple):
    """An encoder's output: rows in chunks [N, K, D], and in frames [B, T, D] with 0 beyond the end."""

    chunks: Tensor
    frames: Tensor
    layout: Layout


def encode(encoder: ChunkEncoder, chunk: ChunkConfig, x: Tensor, counts: list[int]) -> Encoded:
    """Encode a padded batch [B, T, F]; position codes and scaling as at run time."""
    _, length, size = x.shape
    layout = lay_out(counts, length, chunk, x.device)
    width = encoder.after_norm.normalized_shape[0]
    codes = torch.from_numpy(position_codes(0, length, size).astype(np.float32)).to(x.device)
    scaled = torch.cat([(x * sqrt(width) + codes).flatten(0, 1), x.new_zeros(1, size)])
    back = None
    if chunk.look_back:
        empty = x.new_zeros(1, 1 + len(encoder.encoders), chunk.stride, width)
        back = LookBack(empty, empty, layout.predecessors)
    rows, _, _ = encoder(scaled[layout.source], layout.valid, back)
    inside = torch.arange(length, device=x.device) < torch.tensor(counts, device=x.device)[:, None]
    return Encoded(rows, rows.flatten(0, 1)[layout.kept] * inside[..., None], layout)


def bridge_frames(network: UniasrNetwork, x: Tensor, encoded: Encoded, counts: list[int]) -> tuple[Tensor, list[int]]:
    """Input of the second encoder [B, T2, F2] and its lengths."""
    bridge = network.config.bridge
    joined = torch.cat([x, encoded.frames], dim=-1)
    padded = functional.pad(joined, (0, 0, *bridge.pad))
    windows = padded.unfold(1, bridge.kernel_size, bridge.stride)  # [B, T2, F2, kernel]
    out = network.stride_conv(windows.transpose(2, 3).flatten(2))
    counts2 = [(count - 1) // bridge.stride + 1 for count in counts]
    inside = torch.arange(out.shape[1], device=x.device) < torch.tensor(counts2, device=x.device)[:, None]
    return out * inside[..., None], counts2


@dataclass(frozen=True, slots=True)
class Targets:
    """Token ids with start and end marks: `inputs` and `outputs` [B, L + 1], counts [B] of L + 1."""

    inputs: Tensor
    outputs: Tensor
    counts: Tensor

    @classmethod
    def of(cls, tokens: Tensor, counts: Tensor) -> Targets:
        """From ids [B, L] padded with -1 and their counts [B]."""
        batch = tokens.shape[0]
        inputs = torch.cat([tokens.new_full((batch, 1), SOS), tokens.clamp(min=0)], dim=1)
        outputs = torch.cat([tokens, tokens.new_full((batch, 1), IGNORED)], dim=1)
        outputs = outputs.scatter(1, counts[:, None], EOS)
        return cls(inputs, outputs, counts + 1)


class PassLoss(NamedTuple):
    """Losses of one pass and the share of right tokens."""

    attention: Tensor
    quantity: Tensor
    ctc: Tensor
    accuracy: Tensor


def pass_loss(
    network: UniasrNetwork, number: int, encoded: Encoded, chunk: ChunkConfig, counts: list[int], targets: Targets
) -> PassLoss:
    """Cross entropy, quantity loss and (with a CTC head) CTC loss of pass 1 or 2."""
    suffix = "" if number == 1 else "2"
    predictor: Predictor = getattr(network, f"predictor{suffix}")
    decoder: ScamaDecoder = getattr(network, f"decoder{suffix}")
    head: CtcHead | None = getattr(network, f"ctc{suffix}", None)
    loss = network.config.loss
    alphas = predictor(encoded.chunks, encoded.layout.valid).flatten()[encoded.layout.kept]
    alphas = alphas * (encoded.frames.abs().sum(-1) > 0)
    sums = alphas.sum(1)
    scaled = alphas * (targets.counts / sums.clamp(min=1e-6))[:, None]
    cif = integrate(scaled, encoded.frames, targets.counts)
    log_probs = _teacher_forced(decoder, encoded, chunk, cif, targets)
    tokens = int(targets.counts.sum())
    norm = tokens if loss.length_normalized else len(counts)
    right = (log_probs.argmax(-1) == targets.outputs) & (targets.outputs != IGNORED)
    ctc = sums.new_zeros(())
    if head is not None:
        ctc = _ctc(head, encoded.frames, counts, targets)
    return PassLoss(
        smoothed_divergence(log_probs, targets.outputs, loss.label_smoothing) / norm,
        (targets.counts - sums).abs().sum() / norm,
        ctc,
        right.sum() / tokens,
    )


def _teacher_forced(
    decoder: ScamaDecoder, encoded: Encoded, chunk: ChunkConfig, cif: Integrated, targets: Targets
) -> Tensor:
    """Log-probabilities [B, L + 1, V]; a step sees the chunk where its token fires and the kept rows before it."""
    chunks, layout = encoded.chunks, encoded.layout
    most = layout.chunks.shape[1]
    width = chunks.shape[1]
    padded = torch.cat([chunks, chunks.new_zeros(1, *chunks.shape[1:])])
    valid = torch.cat([layout.valid, layout.valid.new_zeros(1, width)])
    memory = padded[layout.chunks].flatten(1, 2)  # [B, M * K, D]
    exists = valid[layout.chunks] > 0  # [B, M, K]
    place = torch.arange(most, device=chunks.device)
    behind = (cif.rows // chunk.stride)[:, :, None] - place  # [B, L + 1, M]: chunks between firing and memory
    rows = torch.arange(width, device=chunks.device)
    kept = (rows >= chunk.pad_left) & (rows < chunk.pad_left + chunk.stride)
    earlier = ((behind >= 1) & (behind <= chunk.decoder_look_back))[..., None] & kept
    seen = ((behind == 0)[..., None] | earlier) & exists[:, None]
    return decoder.sequence(targets.inputs, cif.embeddings, memory, seen.flatten(2))


def smoothed_divergence(log_probs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Sum over tokens of KL(smoothed target || prediction); targets of -1 do not count."""
    counted = targets != IGNORED
    picked = log_probs.gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1)
    if smoothing == 0:
        return -(picked * counted).sum()
    other = smoothing / (log_probs.shape[-1] - 1)
    cross = -(1 - smoothing - other) * picked - other * log_probs.sum(-1)
    entropy = -(1 - smoothing) * np.log(1 - smoothing) - smoothing * np.log(other)
    divergence: Tensor = ((cross - entropy) * counted).sum()
    return divergence


def _ctc(head: CtcHead, frames: Tensor, counts: list[int], targets: Targets) -> Tensor:
    log_probs = functional.log_softmax(head.ctc_lo(frames).float(), dim=-1).transpose(0, 1)
    labels = targets.inputs[:, 1:]
    lengths = targets.counts - 1
    total: Tensor = functional.ctc_loss(
        log_probs, labels, torch.tensor(counts), lengths, blank=0, reduction="sum", zero_infinity=True
    )
    normalised: Tensor = total / lengths.sum().clamp(min=1)
    return normalised


@dataclass(frozen=True, slots=True)
class JointLoss:
    """The scalar to minimise and what it is made of."""

    total: Tensor
    passes: tuple[PassLoss, PassLoss]


class TensorBatch(NamedTuple):
    """What the loss reads: rows [B, T, F] after CMVN and SpecAugment, 0 beyond the end; ids [B, L] padded with -1."""

    rows: Tensor
    row_counts: Tensor
    tokens: Tensor
    token_counts: Tensor


def joint_loss(network: UniasrNetwork, batch: TensorBatch, latency: int, ctc_weight: float = 0.0) -> JointLoss:
    """Loss of one batch at one latency.

    Args:
        network: in training mode, with CTC heads if `ctc_weight` is not 0.
        batch: features and labels.
        latency: index of the chunk configuration, the same in both encoders.
        ctc_weight: share of the CTC loss against the attention loss.
    """
    config: UniasrConfig = network.config
    chunk, chunk2 = config.encoder.chunks[latency], config.encoder2.chunks[latency]
    rows, counts = batch.rows, batch.row_counts.tolist()
    targets = Targets.of(batch.tokens, batch.token_counts)
    encoded = encode(network.encoder, chunk, rows, counts)
    first = pass_loss(network, 1, encoded, chunk, counts, targets)
    bridged, counts2 = bridge_frames(network, rows, encoded, counts)
    if not config.joint_training:
        bridged = bridged.detach()
    encoded2 = encode(network.encoder2, chunk2, bridged, counts2)
    second = pass_loss(network, 2, encoded2, chunk2, counts2, targets)
    share = config.loss.pass1_weight
    weights = (config.loss.predictor_weight, config.loss.predictor_weight2)
    losses = [
        (1 - ctc_weight) * part.attention + ctc_weight * part.ctc + weight * part.quantity
        for part, weight in zip((first, second), weights, strict=True)
    ]
    return JointLoss(share * losses[0] + (1 - share) * losses[1], (first, second))
