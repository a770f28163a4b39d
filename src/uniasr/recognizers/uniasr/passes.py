"""One pass over a segment: chunks through its encoder, CIF on the rows they keep, what the decoder may look at.

A pass is a plan (what never changes) and a carry (what one segment of one session is at). The functions here work on
the carries of many sessions at once, so that their chunks go through the engine in one call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from uniasr.configs.uniasr import (
    BridgeConfig,
    ChunkConfig,
    ConfidenceConfig,
    DecoderConfig,
    EncoderConfig,
    UniasrConfig,
)
from uniasr.decoding.beam import Scorers, Search, start_search
from uniasr.decoding.cif import CifCarry, integrate, start_cif
from uniasr.decoding.hotwords import HotwordScorer
from uniasr.decoding.timestamps import middles
from uniasr.engines.base import Engine
from uniasr.features.chunks import chunk_count, rows_needed, source_rows, valid_rows
from uniasr.features.positions import position_codes
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.types import F32, I64, DecodingOptions

BLOCK_ROWS = 320
"""Chunk rows of one session in one engine call: enough for full speed, few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class PassPlan:
    """A pass at one latency."""

    number: int
    latency: int
    encoder: EncoderConfig
    decoder: DecoderConfig
    chunk: ChunkConfig
    bridge: BridgeConfig | None
    """What lies between the features and this pass; None for pass 1."""
    row_ms: float
    shift_ms: float
    """How much later than its firings the speech is."""
    confidence: ConfidenceConfig
    """How probabilities become confidences."""

    @property
    def suffix(self) -> str:
        """What the names of this pass's graphs end with."""
        return "" if self.number == 1 else "2"

    @property
    def frames_per_row(self) -> int:
        """Feature rows between two rows of this pass."""
        return self.bridge.stride if self.bridge else 1

    @property
    def window_rows(self) -> int:
        """Rows that a decoder step may see."""
        return self.chunk.size + self.chunk.decoder_look_back * self.chunk.stride

    @property
    def block_chunks(self) -> int:
        """Chunks of one session in one engine call."""
        return max(1, BLOCK_ROWS // self.chunk.size)


def plan_pass(config: UniasrConfig, number: int, latency: int) -> PassPlan:
    """The plan of pass 1 or 2 at a trained latency."""
    encoder = config.encoder_of(number)
    return PassPlan(
        number,
        latency,
        encoder,
        config.decoder_of(number),
        encoder.chunks[latency],
        config.bridge if number == 2 else None,
        config.row_ms(number),
        config.time_shift_ms[number - 1],
        config.confidence[number - 1],
    )


@dataclass(frozen=True, slots=True)
class Window:
    """What a decoder step sees: keys [L, H, D / H, W], values [L, H, W, D / H], and 1.0 for rows that count [W]."""

    keys: F32
    values: F32
    mask: F32


@dataclass(slots=True)
class PassCarry:
    """Where one segment of one session stands in one pass."""

    plan: PassPlan
    inputs: RowBuffer
    """Rows that this pass reads: features of the audio, or features and pass-1 rows of the segment."""
    offset: int
    """Place of the segment's first row in `inputs`."""
    cif: CifCarry
    search: Search | None
    """None where nobody reads this pass's text."""
    chunk: int = 0
    """Next chunk."""
    num_frames: int | None = None
    """Feature rows of the segment, once its end is known."""
    ended: bool = False
    """Whether all rows of the segment have been integrated, so that the search may take its last steps."""
    past: deque[tuple[F32, F32]] = field(default_factory=deque)
    """Encoder keys and values of the chunks before, for look-back."""
    kept_memory: deque[tuple[F32, F32]] = field(default_factory=deque)
    """Decoder keys and values of the kept rows of the chunks before."""
    pending: deque[tuple[F32, Window]] = field(default_factory=deque)
    """Acoustic embedding and window of fired tokens whose step has not been taken."""
    window: Window | None = None
    """Window of the last fired token."""
    cache: F32 | None = None
    """[B, layers, kernel_size - 1, D] of the decoder's causal memories."""
    ends: list[float] = field(default_factory=list)
    """Firing positions in rows of the segment."""
    middles: list[float] = field(default_factory=list)
    """Where tokens have half of their weight, in the same unit; of the unfinished token too once it has."""
    last_firing: int = -1
    """Row of the last firing."""
    hotwords: list[tuple[int, HotwordScorer | None]] = field(default_factory=list)
    """The words listened for, each set with the first step that it scored."""

    @property
    def num_rows(self) -> int | None:
        """Rows of the segment in this pass, once its end is known."""
        return None if self.num_frames is None else -(-self.num_frames // self.plan.frames_per_row)

    @property
    def frames_done(self) -> int:
        """Feature rows that have been integrated; chunks may have been encoded beyond them."""
        return self.cif.row * self.plan.frames_per_row

    def input_needed(self, chunk: int) -> int:
        """Input rows of the segment that must exist before a chunk can be computed."""
        plan = self.plan
        rows = rows_needed(chunk, plan.chunk)
        if plan.bridge:
            rows = (rows - 1) * plan.bridge.stride - plan.bridge.pad[0] + plan.bridge.kernel_size
        return rows if self.num_frames is None else min(rows, self.num_frames)

    def set_hotwords(self, scorer: HotwordScorer | None) -> None:
        """Listen for other words from the next step of the search on."""
        if self.search is not None:
            self.search.set_hotwords(scorer)
            self.hotwords.append((self.search.steps, scorer))

    def ready_chunks(self, most: int) -> int:
        """Chunks that can be computed now, at most `most`."""
        available = self.inputs.end - self.offset
        last = most
        if self.num_rows is not None:
            last = min(most, chunk_count(self.num_rows, self.plan.chunk) - self.chunk)
        count = 0
        while count < last and self.input_needed(self.chunk + count) <= available:
            count += 1
        return count


def start_pass(
    plan: PassPlan,
    inputs: RowBuffer,
    offset: int,
    options: DecodingOptions,
    scorers: Scorers | None = None,
    *,
    decode: bool,
) -> PassCarry:
    """The carry before the first row of a segment."""
    search = start_search(options, scorers) if decode else None
    carry = PassCarry(plan, inputs, offset, start_cif(plan.encoder.output_size), search)
    if scorers is not None and scorers.hotwords is not None:
        carry.hotwords.append((0, scorers.hotwords))
    return carry


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """One chunk after the encoder: rows [K, D], alphas [K], which of them are valid, and what look-back keeps."""

    number: int
    rows: F32
    alphas: F32
    valid: F32
    back: tuple[F32, F32] | None


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
        if carry.search is None:
            continue
        carry.ends.extend(firings.ends.tolist())
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
