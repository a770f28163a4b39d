"""Padded batches through the chunked encoders: where the rows lie in chunks, and the bridge between the passes.

The geometry is that of `features.chunks`, which the recognisers use; here the chunks of all utterances are one batch.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from uniasr.configs.uniasr import ChunkConfig
from uniasr.features.chunks import chunk_count, source_rows, valid_rows
from uniasr.features.positions import position_codes
from uniasr.networks.layers.sanm import ChunkEncoder, LookBack
from uniasr.networks.uniasr import UniasrNetwork


class Layout(NamedTuple):
    """Where the rows of a padded batch lie in its chunks. N chunks of K rows, the utterances one after another."""

    source: Tensor
    """[N, K] place in the flattened batch [B * T], or B * T for a zero row."""
    valid: Tensor
    """[N, K] 1.0 for rows of a chunk."""
    laid_out: Tensor
    """[N, K] 1.0 for rows that exist where every utterance is padded to the longest one, as the reference does."""
    kept: Tensor
    """[B, T] place of each row in the flattened chunks [N * K]; 0 beyond the end."""
    chunks: Tensor
    """[B, M] number of each utterance's chunks; N beyond the last one."""
    predecessors: Tensor
    """[N, Be] place 1 + n of the chunks before, 0 where there is none."""


def lay_out(counts: list[int], length: int, chunk: ChunkConfig, device: torch.device) -> Layout:
    """Cut utterances of `counts` rows, padded to `length`, into chunks."""
    numbers = [chunk_count(count, chunk) for count in counts]
    firsts = np.cumsum([0, *numbers])
    source = np.concatenate([source_rows(0, n, chunk) for n in numbers])
    valid = np.concatenate([valid_rows(0, n, count, chunk) for n, count in zip(numbers, counts, strict=True)])
    laid_out = np.concatenate([valid_rows(0, n, max(counts), chunk) for n in numbers])
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
    masks = (valid[:, :width].astype(np.float32), laid_out[:, :width].astype(np.float32))
    arrays = (source[:, :width], *masks, kept, chunks, predecessors)
    return Layout(*(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))


class Encoded(NamedTuple):
    """What an encoder makes of a batch."""

    chunks: Tensor
    """[N, K, D] rows in chunks, 0 in padding."""
    frames: Tensor
    """[B, T, D] kept rows, 0 beyond the end."""
    ends: Tensor
    """[N, K, D] what the predictor reads: `chunks`, or what the reference reads just after an utterance's end."""
    inside: Tensor
    """[B, T] true for rows of the utterance."""
    counts: list[int]
    chunk: ChunkConfig
    layout: Layout


def inside(counts: list[int], length: int, device: torch.device) -> Tensor:
    """[B, length] true for the first `counts` places."""
    return torch.arange(length, device=device) < torch.tensor(counts, device=device)[:, None]


def encode(
    encoder: ChunkEncoder, chunk: ChunkConfig, x: Tensor, counts: list[int], *, reference_ends: bool = False
) -> Encoded:
    """Encode a padded batch [B, T, F]; position codes and scaling as at run time.

    `reference_ends`: the predictor reads encoder rows of padding just after an utterance that is shorter than the
    longest of the batch, as in the reference's training pass. They hold what such a row attends to.
    """
    _, length, size = x.shape
    layout = lay_out(counts, length, chunk, x.device)
    width = encoder.after_norm.normalized_shape[0]
    codes = torch.from_numpy(position_codes(0, length, size).astype(np.float32)).to(x.device)
    scaled = torch.cat([(x * sqrt(width) + codes).flatten(0, 1), x.new_zeros(1, size)])
    back = None
    if chunk.look_back:
        empty = x.new_zeros(1, 1 + len(encoder.encoders), chunk.stride, width)
        back = LookBack(empty, empty, layout.predecessors)
    rows, _, _ = encoder.unmasked(scaled[layout.source], layout.valid, back)
    chunks = rows * layout.valid[..., None]
    own = inside(counts, length, x.device)
    frames = chunks.flatten(0, 1)[layout.kept] * own[..., None]
    ends = rows * layout.laid_out[..., None] if reference_ends else chunks
    return Encoded(chunks, frames, ends, own, counts, chunk, layout)


def bridge_frames(network: UniasrNetwork, x: Tensor, frames: Tensor, counts: list[int]) -> tuple[Tensor, list[int]]:
    """Input of the second encoder [B, T2, F2] and its lengths, from features and the first encoder's rows."""
    bridge = network.config.bridge
    padded = functional.pad(torch.cat([x, frames], dim=-1), (0, 0, *bridge.pad))
    windows = padded.unfold(1, bridge.kernel_size, bridge.stride)  # [B, T2, F2, kernel]
    out = network.stride_conv(windows.transpose(2, 3).flatten(2))
    counts2 = [(count - 1) // bridge.stride + 1 for count in counts]
    return out * inside(counts2, out.shape[1], x.device)[..., None], counts2
