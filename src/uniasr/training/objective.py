"""The two-pass objective: CIF with target lengths, teacher-forced decoders, quantity and CTC losses.

Source: funasr 1.4.16 funasr/models/uniasr/model.py; weights and masks as described in docs/families/uniasr.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from uniasr.errors import OptionError
from uniasr.networks.layers.cif import Integrated, Predictor, integrate
from uniasr.networks.layers.fsmn_decoder import ScamaDecoder
from uniasr.networks.uniasr import CtcHead, UniasrNetwork
from uniasr.training.batches import Batch
from uniasr.training.encoding import Encoded, bridge_frames, encode

SOS, EOS, IGNORED = 1, 2, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveOptions:
    """What is trained and how; the weights of the losses are the model's own (`LossConfig`)."""

    ctc_weight: float = 0.0
    """Share of the CTC loss against the cross entropy; the network then needs CTC heads."""
    passes: tuple[int, ...] = (1, 2)
    """Passes whose loss is computed. A single one has the whole weight."""
    freeze_pass1: bool = False
    """Leave encoder, predictor and decoder of pass 1 as they are and train the second pass on top."""
    detach: bool = False
    """Keep the second pass's gradient from the first encoder; the bridge is trained all the same."""
    end_fires: float = 0.5
    """Share of the utterances in training whose `</s>` fires. At run time the last weight often stays below one, and
    the search then ends on steps without an acoustic embedding: they must be known as well. (In the reference,
    rounding decides.)"""
    reference_ends: bool = False
    """Let the predictor read past the end of the shorter utterances of a batch, as the reference does in training.
    A loss then depends on the company of an utterance, and is not what recognition computes."""

    def __post_init__(self) -> None:
        if not self.passes or not set(self.passes) <= {1, 2}:
            raise OptionError(f"passes is {self.passes}; name 1, 2 or both")
        for name in ("ctc_weight", "end_fires"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.freeze_pass1 and 2 not in self.passes:
            raise OptionError("freeze_pass1 leaves nothing to train when passes does not name pass 2")

    @property
    def trained(self) -> tuple[int, ...]:
        """Passes whose loss is computed: that of a frozen pass would be a constant."""
        return (2,) if self.freeze_pass1 else tuple(sorted(set(self.passes)))


class TensorBatch(NamedTuple):
    """What the loss reads: rows [B, T, F] after CMVN and SpecAugment, 0 beyond the end; ids [B, L] padded with -1."""

    rows: Tensor
    row_counts: Tensor
    """On the CPU: they decide shapes."""
    tokens: Tensor
    token_counts: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> TensorBatch:
        """A batch of the data on a device."""
        rows, *labels = (torch.from_numpy(x).to(device) for x in (batch.rows, batch.tokens, batch.token_counts))
        return cls(rows, torch.from_numpy(batch.row_counts), *labels)


class Scale(NamedTuple):
    """What sums over a batch are divided by; in training, the counts of all batches of a step in all processes."""

    tokens: int
    """Labels, each utterance's `</s>` counted."""
    utterances: int

    @classmethod
    def of(cls, token_counts: Tensor) -> Scale:
        """From label counts [B] without `</s>`."""
        return cls(int(token_counts.sum()) + len(token_counts), len(token_counts))


class PassLoss(NamedTuple):
    """Losses of one pass and the share of right tokens."""

    attention: Tensor
    quantity: Tensor
    ctc: Tensor
    accuracy: Tensor


@dataclass(frozen=True, slots=True)
class JointLoss:
    """The scalar to minimise and what it is made of, by pass."""

    total: Tensor
    passes: dict[int, PassLoss]


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


def joint_loss(
    network: UniasrNetwork,
    batch: TensorBatch,
    latency: int,
    options: ObjectiveOptions,
    *,
    scale: Scale | None = None,
    fired: tuple[Tensor, Tensor] | None = None,
) -> JointLoss:
    """Loss of one batch at one latency.

    Args:
        network: in training mode, with CTC heads if `ctc_weight` is not 0.
        batch: features and labels.
        latency: index of the chunk configuration, the same in both encoders.
        options: what is trained.
        scale: what the sums are divided by, if not by this batch's own counts.
        fired: [B] of both passes: how many of the L + 1 tokens fire, to repeat a number of the reference. Otherwise
            `</s>` fires in a share of the utterances (`end_fires`), in evaluation mode in all of them.
    """
    config = network.config
    scale = scale or Scale.of(batch.token_counts)
    rows, counts = batch.rows, batch.row_counts.tolist()
    targets = Targets.of(batch.tokens, batch.token_counts)
    ends, limits = options.reference_ends, fired or (None, None)
    passes = {}
    encoded = encode(network.encoder, config.encoder.chunks[latency], rows, counts, reference_ends=ends)
    if 1 in options.trained:
        passes[1] = pass_loss(network, 1, encoded, targets, scale, options, fired=limits[0])
    if 2 in options.trained:
        frames = encoded.frames.detach() if options.detach else encoded.frames
        bridged, counts2 = bridge_frames(network, rows, frames, counts)
        if not config.joint_training:  # as the reference: nothing behind this point learns, the bridge included
            bridged = bridged.detach()
        encoded2 = encode(network.encoder2, config.encoder2.chunks[latency], bridged, counts2, reference_ends=ends)
        passes[2] = pass_loss(network, 2, encoded2, targets, scale, options, fired=limits[1])
    return JointLoss(_weighted(network, passes, options.ctc_weight), passes)


def _weighted(network: UniasrNetwork, passes: dict[int, PassLoss], ctc_weight: float) -> Tensor:
    loss = network.config.loss
    quantity = {1: loss.predictor_weight, 2: loss.predictor_weight2}
    share = {1: loss.pass1_weight, 2: 1 - loss.pass1_weight} if len(passes) == 2 else dict.fromkeys(passes, 1.0)
    total: Tensor = sum(  # type: ignore[assignment]
        share[number] * ((1 - ctc_weight) * part.attention + ctc_weight * part.ctc + quantity[number] * part.quantity)
        for number, part in passes.items()
    )
    return total


def pass_loss(
    network: UniasrNetwork,
    number: int,
    encoded: Encoded,
    targets: Targets,
    scale: Scale,
    options: ObjectiveOptions,
    *,
    fired: Tensor | None,
) -> PassLoss:
    """Cross entropy, quantity loss and, where it is asked for, CTC loss of pass 1 or 2."""
    suffix = "" if number == 1 else "2"
    predictor: Predictor = getattr(network, f"predictor{suffix}")
    decoder: ScamaDecoder = getattr(network, f"decoder{suffix}")
    loss = network.config.loss
    sums, cif = _integrated(predictor, encoded, targets)
    if fired is not None:
        cif = _cut(cif, fired, encoded.frames.shape[1])
    elif network.training:
        cif = _open_ends(cif, targets.counts, options.end_fires)
    log_probs = _teacher_forced(decoder, encoded, cif, targets)
    right = (log_probs.argmax(-1) == targets.outputs) & (targets.outputs != IGNORED)
    norm = scale.tokens if loss.length_normalized else scale.utterances
    return PassLoss(
        smoothed_divergence(log_probs, targets.outputs, loss.label_smoothing) / norm,
        (targets.counts - sums).abs().sum() / norm,
        _ctc(getattr(network, f"ctc{suffix}"), encoded, targets) / norm if options.ctc_weight else sums.new_zeros(()),
        right.sum() / scale.tokens,
    )


def _integrated(predictor: Predictor, encoded: Encoded, targets: Targets) -> tuple[Tensor, Integrated]:
    """Sums of alphas [B], and what fires when they are scaled to the number of labels; always in float32."""
    with torch.autocast(encoded.frames.device.type, enabled=False):
        alphas = predictor(encoded.ends.float(), encoded.layout.valid).flatten()[encoded.layout.kept]
        alphas = alphas * encoded.inside
        sums = alphas.sum(1)
        scaled = alphas * (targets.counts / sums.clamp(min=1e-6))[:, None]
        return sums, integrate(scaled, encoded.frames.float(), targets.counts)


def _cut(cif: Integrated, fired: Tensor, length: int) -> Integrated:
    """What does not fire has no embedding, and its row is the last one of the batch."""
    there = torch.arange(cif.rows.shape[1], device=cif.rows.device) < fired[:, None]
    return Integrated(cif.embeddings * there[..., None], torch.where(there, cif.rows, length - 1))


def _open_ends(cif: Integrated, counts: Tensor, fires: float) -> Integrated:
    """Utterances whose `</s>` does not fire: no embedding, and the row of the firing before, as in a search."""
    last = torch.arange(cif.rows.shape[1], device=counts.device) == counts[:, None] - 1
    silent = last & (torch.rand(len(counts), 1, device=counts.device) >= fires)
    before = cif.rows.gather(1, (counts[:, None] - 2).clamp(min=0))
    return Integrated(cif.embeddings * ~silent[..., None], torch.where(silent, before, cif.rows))


def _teacher_forced(decoder: ScamaDecoder, encoded: Encoded, cif: Integrated, targets: Targets) -> Tensor:
    """Log-probabilities [B, L + 1, V]; a step sees the chunk where its token fires and the kept rows before it."""
    chunks, layout, chunk = encoded.chunks, encoded.layout, encoded.chunk
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


def _ctc(head: CtcHead, encoded: Encoded, targets: Targets) -> Tensor:
    log_probs = functional.log_softmax(head.ctc_lo(encoded.frames).float(), dim=-1).transpose(0, 1)
    lengths = torch.tensor(encoded.counts)
    total: Tensor = functional.ctc_loss(
        log_probs, targets.inputs[:, 1:], lengths, targets.counts - 1, blank=0, reduction="sum", zero_infinity=True
    )
    return total


def freeze(network: UniasrNetwork, options: ObjectiveOptions) -> None:
    """Freeze the parameters that no loss of `options` reaches, so that nothing is computed for them."""
    if options.ctc_weight and not hasattr(network, "ctc"):
        raise OptionError(f"ctc_weight is {options.ctc_weight}, but the network has no CTC heads")
    first, second = ("encoder", "predictor", "decoder", "ctc"), ("encoder2", "predictor2", "decoder2", "ctc2")
    joint = network.config.joint_training
    still = set() if options.ctc_weight else {"ctc", "ctc2"}
    if 1 not in options.trained:
        still.update(first[1:])
        if options.freeze_pass1 or options.detach or not joint:
            still.add("encoder")
    if 2 not in options.trained:
        still.update(second)
    if 2 not in options.trained or not joint:
        still.add("stride_conv")
    for name, part in network.named_children():
        if name in still:
            part.requires_grad_(False)
