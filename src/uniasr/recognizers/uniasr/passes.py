"""One pass over a segment: a plan (what never changes) and a carry (what one segment of one session is at).

`encoding` takes the chunks of carries through the encoder, `firing` integrates the rows they keep, `steps` decodes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from uniasr.configs.decoding import ConfidenceConfig
from uniasr.configs.uniasr import BridgeConfig, ChunkConfig, DecoderConfig, EncoderConfig, UniasrConfig
from uniasr.decoding.beam import Scorers, Search, start_search
from uniasr.decoding.cif import CifCarry, start_cif
from uniasr.decoding.hotwords import HotwordScorer
from uniasr.features.chunks import chunk_count, rows_needed
from uniasr.recognizers.uniasr.rows import RowBuffer
from uniasr.types import F32, DecodingOptions

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
    ctc_head: bool
    """Whether its CTC head says if anything was said."""
    ctc_rescoring: float
    """How much the head's log-probability counts in the choice among hypotheses."""

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
        config.ctc_heads,
        config.ctc_rescoring,
    )


@dataclass(frozen=True, slots=True)
class Window:
    """What a decoder step sees: keys [L, H, D / H, W], values [L, H, W, D / H], and 1.0 for rows that count [W]."""

    keys: F32
    values: F32
    mask: F32


@dataclass(slots=True)
class Heard:
    """What the CTC head of a pass has heard of a segment (`ctc_head`)."""

    to_the_end: bool
    """Whether it listens on when it is certain that something was said, to choose among the hypotheses."""
    rows: list[F32] = field(default_factory=list)
    """Its log-probabilities [S, V] of the kept rows of each chunk so far."""
    weighed_rows: int = 0
    """Of them, those that the text was last weighed against."""
    evidence: float = 0.0
    """By how much the text so far is more probable than none; 0 without text."""
    certain: bool = False
    """Whether that was enough once: something was said, whatever follows."""

    @property
    def listens(self) -> bool:
        """Whether it wants to hear more rows."""
        return self.to_the_end or not self.certain

    @property
    def hides(self) -> bool:
        """Whether the text so far is not to be shown."""
        return not self.certain and self.evidence <= 0


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
    heard: Heard | None = None
    """None where no head is asked."""

    @property
    def num_rows(self) -> int | None:
        """Rows of the segment in this pass, once its end is known."""
        return None if self.num_frames is None else -(-self.num_frames // self.plan.frames_per_row)

    @property
    def doubtful(self) -> bool:
        """Whether it is still open if anything was said."""
        return self.heard is not None and not self.heard.certain

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
    final: bool,
) -> PassCarry:
    """The carry before the first row of a segment; `final`: its text is the one that counts in the end."""
    search = start_search(options, scorers) if decode else None
    carry = PassCarry(plan, inputs, offset, start_cif(plan.encoder.output_size), search)
    if plan.ctc_head and decode:
        carry.heard = Heard(to_the_end=final and plan.ctc_rescoring > 0)
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
