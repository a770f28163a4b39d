"""Chunks of a pass through its encoder: those of many sessions in one engine call."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from uniasr.engines.base import Engine
from uniasr.features.chunks import source_rows, valid_rows
from uniasr.features.positions import position_codes
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry
from uniasr.types import F32, I64


def encode(engine: Engine, jobs: Sequence[tuple[PassCarry, int]]) -> list[list[EncodedChunk]]:
    """The next chunks of several carries of one pass and latency, `count` of each, in one engine call."""
    plan = jobs[0][0].plan
    numbers = [range(carry.chunk, carry.chunk + count) for carry, count in jobs]
    valid = np.concatenate(
        [valid_rows(carry.chunk, count, carry.num_rows, plan.chunk) for carry, count in jobs]
    ).astype(np.float32)
    feeds: dict[str, F32 | I64] = {"chunks": _inputs(engine, jobs), "valid": valid}
    outputs = ["rows", "alphas"]
    if plan.encoder.look_back:
        feeds |= _look_back(jobs)
        outputs += ["keys", "values"]
    out = engine.run(f"encoder{plan.suffix}", feeds, outputs)
    chunks: list[list[EncodedChunk]] = []
    place = 0
    for own in numbers:
        chunks.append([])
        for number in own:
            back = (out["keys"][place], out["values"][place]) if plan.encoder.look_back else None
            chunks[-1].append(EncodedChunk(number, out["rows"][place], out["alphas"][place], valid[place], back))
            place += 1
    for (carry, count), encoded in zip(jobs, chunks, strict=True):
        carry.chunk += count
        carry.past.extend(chunk.back for chunk in encoded if chunk.back)
        while len(carry.past) > plan.chunk.look_back:
            carry.past.popleft()
    return chunks


def _inputs(engine: Engine, jobs: Sequence[tuple[PassCarry, int]]) -> F32:
    """Input of the encoder [C, K, F]: scaled rows with position codes, zeros outside the segment."""
    plan = jobs[0][0].plan
    places = [source_rows(carry.chunk, count, plan.chunk) for carry, count in jobs]
    rows = np.concatenate([_raw_rows(carry, own) for (carry, _), own in zip(jobs, places, strict=True)])
    if plan.bridge:
        rows = engine.run("bridge", {"windows": rows}, ["out"])["out"]
    scale = sqrt(plan.encoder.output_size)
    inputs, start = np.empty(rows.shape, np.float32), 0
    for (carry, count), own in zip(jobs, places, strict=True):
        first = int(own[0, 0])
        codes = position_codes(first, int(own[-1, -1]) + 1 - first, plan.encoder.input_size)
        out = inputs[start : start + count]
        out[:] = rows[start : start + count].astype(np.float64) * scale + codes[own - first]
        beyond = np.iinfo(np.int64).max if carry.num_rows is None else carry.num_rows
        out[(own < 0) | (own >= beyond)] = 0.0
        start += count
    return inputs


def _raw_rows(carry: PassCarry, places: I64) -> F32:
    """Rows of the pass's input under each place of its chunks; under the bridge's kernel side by side in pass 2."""
    bridge = carry.plan.bridge
    if bridge is None:
        return _of_segment(carry, places)
    frames = places[..., None] * bridge.stride - bridge.pad[0] + np.arange(bridge.kernel_size)
    rows = _of_segment(carry, frames)
    return rows.reshape(*places.shape, -1)


def _of_segment(carry: PassCarry, places: I64) -> F32:
    """Input rows at places counted from the segment's start; zeros before it and after the audio."""
    return carry.inputs.take(np.where(places < 0, -1, places + carry.offset))


def _look_back(jobs: Sequence[tuple[PassCarry, int]]) -> dict[str, F32 | I64]:
    """Keys and values of earlier chunks, and where each chunk finds those it looks back at."""
    plan = jobs[0][0].plan
    shape = (plan.encoder.num_blocks, plan.chunk.stride, plan.encoder.output_size)
    pool = [(np.zeros(shape, np.float32), np.zeros(shape, np.float32))]
    starts = []
    for carry, _ in jobs:
        starts.append(len(pool))
        pool.extend(carry.past)
    most = max(chunk.look_back for chunk in plan.encoder.chunks)
    predecessors = np.zeros((sum(count for _, count in jobs), most), np.int64)
    place = 0
    for (carry, count), start in zip(jobs, starts, strict=True):
        # The carry's own chunks in the order of the audio: those kept from before, then those of this call.
        chain = [*range(start, start + len(carry.past)), *range(len(pool) + place, len(pool) + place + count)]
        for own in range(count):
            before = chain[max(0, len(carry.past) + own - plan.chunk.look_back) : len(carry.past) + own]
            predecessors[place + own, : len(before)] = before
        place += count
    keys, values = (np.stack(arrays) for arrays in zip(*pool, strict=True))
    return {"past_keys": keys, "past_values": values, "predecessors": predecessors}
