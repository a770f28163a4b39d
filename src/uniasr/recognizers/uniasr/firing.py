"""CIF on the rows that an encoded chunk keeps, and what the decoder may look at for the tokens that fire."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uniasr.decoding.cif import integrate
from uniasr.decoding.timestamps import middles
from uniasr.engines.base import Engine
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry, Window
from uniasr.types import F32, I64


def kept_count(carry: PassCarry, chunk: EncodedChunk) -> int:
    """Kept rows of a chunk that lie inside the segment."""
    stride = carry.plan.chunk.stride
    return stride if carry.num_rows is None else min(stride, carry.num_rows - chunk.number * stride)


def firing_rows(carry: PassCarry, chunk: EncodedChunk, count: int) -> I64:
    """Rows of the segment at which the first `count` kept rows of a chunk would fire; changes nothing."""
    start = carry.plan.chunk.pad_left
    kept = slice(start, start + count)
    _, firings = integrate(carry.cif, chunk.alphas[kept], chunk.rows[kept])
    return firings.rows + carry.cif.row


def fire(engine: Engine, jobs: Sequence[tuple[PassCarry, EncodedChunk, int]]) -> None:
    """Integrate the first `count` kept rows of a chunk of each carry and queue the tokens that they complete."""
    owing = []
    for carry, chunk, count in jobs:
        start = carry.plan.chunk.pad_left
        kept = slice(start, start + count)
        row = carry.cif.row
        before = carry.cif
        carry.cif, firings = integrate(before, chunk.alphas[kept], chunk.rows[kept])
        if len(firings.rows):
            carry.last_firing = row + int(firings.rows[-1])
        carry.ends.extend(firings.ends.tolist())
        if carry.search is None:
            continue
        carry.middles.extend(middles(before, chunk.alphas[kept], firings))
        if len(firings.rows) or carry.plan.chunk.decoder_look_back:
            owing.append((carry, chunk, firings.embeddings))
    if owing:
        _remember(engine, owing)


def _remember(engine: Engine, owing: Sequence[tuple[PassCarry, EncodedChunk, F32]]) -> None:
    """Keys and values of chunks for the decoder, once per chunk, and the windows of their fired tokens."""
    plan = owing[0][0].plan
    rows = np.stack([chunk.rows for _, chunk, _ in owing])
    out = engine.run(f"memory{plan.suffix}", {"rows": rows}, ["keys", "values"])
    for i, (carry, chunk, embeddings) in enumerate(owing):
        keys, values = out["keys"][i], out["values"][i]
        if len(embeddings):
            carry.window = _window(carry, keys, values, chunk.valid)
            carry.pending.extend((embedding, carry.window) for embedding in embeddings)
        if plan.chunk.decoder_look_back:
            kept = slice(plan.chunk.pad_left, plan.chunk.pad_left + plan.chunk.stride)
            carry.kept_memory.append((keys[..., kept], values[..., kept, :]))
            if len(carry.kept_memory) > plan.chunk.decoder_look_back:
                carry.kept_memory.popleft()


def _window(carry: PassCarry, keys: F32, values: F32, valid: F32) -> Window:
    """All rows of the firing chunk, and the kept rows of the chunks before it; always of one size."""
    geometry = carry.plan.chunk
    missing = geometry.decoder_look_back - len(carry.kept_memory)
    if not geometry.decoder_look_back:
        return Window(keys, values, valid)
    empty_keys = np.zeros((*keys.shape[:-1], missing * geometry.stride), np.float32)
    empty_values = np.zeros((*values.shape[:-2], missing * geometry.stride, values.shape[-1]), np.float32)
    earlier = np.ones(len(carry.kept_memory) * geometry.stride, np.float32)
    return Window(
        np.concatenate([empty_keys, *(k for k, _ in carry.kept_memory), keys], axis=-1),
        np.concatenate([empty_values, *(v for _, v in carry.kept_memory), values], axis=-2),
        np.concatenate([np.zeros(missing * geometry.stride, np.float32), earlier, valid]),
    )
