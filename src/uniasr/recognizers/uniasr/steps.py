"""Decoder steps of many searches at once: the only place that runs the decoder graphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from uniasr.engines.base import Engine
from uniasr.recognizers.uniasr.passes import PassCarry, Window
from uniasr.types import F32, I64

TOP_K = 32
"""Candidates per hypothesis that the decoder graphs return by themselves (`uniasr.networks.graphs`)."""
LEAST_BEAM = 2
"""Hypotheses in a call. A product with one row sums in another order than one with several, so that greedy search of
one utterance alone would differ from that in company: its only hypothesis goes in twice."""


def take_steps(engine: Engine, carries: Iterable[PassCarry]) -> None:
    """Take every step that is ready in these searches."""
    carries = list(carries)
    while True:
        ready = [carry for carry in carries if _ready(carry)]
        if not ready:
            return
        ready.sort(key=_kind)
        for _, group in groupby(ready, key=_kind):
            _step(engine, list(group))


def _ready(carry: PassCarry) -> bool:
    return carry.search is not None and carry.search.ready(carry.cif.fired, carry.cif.weight, carry.ended)


def _kind(carry: PassCarry) -> tuple[int, int, int, bool]:
    """Steps of one kind have arrays of one shape, and ask for the same outputs."""
    search = carry.search
    assert search is not None
    return carry.plan.number, carry.plan.window_rows, len(search.last_tokens()), search.whole_vocabulary


def _step(engine: Engine, carries: Sequence[PassCarry]) -> None:
    plan = carries[0].plan
    searches = [carry.search for carry in carries if carry.search is not None]
    inputs = [_next_input(carry) for carry in carries]
    windows = [window for _, window in inputs]
    beam = len(searches[0].last_tokens())
    width = max(beam, LEAST_BEAM)
    whole = searches[0].whole_vocabulary
    wanted = ["log_probs"] if whole or beam >= TOP_K else ["top_log_probs", "top_ids"]
    feeds: dict[str, npt.NDArray[Any]] = {
        "tokens": np.stack([np.resize(search.last_tokens(), width) for search in searches]),
        "acoustic": np.stack([embedding for embedding, _ in inputs]),
        "keys": _stack([window.keys for window in windows]),
        "values": _stack([window.values for window in windows]),
        "window": np.stack([window.mask for window in windows]),
        "cache": _stack([_cache(carry, width) for carry in carries]),
    }
    out = engine.run(f"decoder{plan.suffix}", feeds, [*wanted, "end_log_probs", "next_cache"])
    if "top_ids" in out:
        top, ids = out["top_log_probs"], out["top_ids"]
    else:
        top, ids = _all(out["log_probs"]) if whole else _best(out["log_probs"], beam + 1)
    for i, (carry, search) in enumerate(zip(carries, searches, strict=True)):
        parents = search.step(top[i, :beam], ids[i, :beam], out["end_log_probs"][i, :beam])
        carry.cache = out["next_cache"][i][np.resize(parents, width)]


def _next_input(carry: PassCarry) -> tuple[F32, Window]:
    """Acoustic embedding and window of the next step; zeros and the last window beyond the last firing."""
    if carry.pending:
        return carry.pending.popleft()
    assert carry.window is not None  # a search takes no step before a token has fired
    return np.zeros(carry.plan.encoder.output_size, np.float32), carry.window


def _cache(carry: PassCarry, width: int) -> F32:
    if carry.cache is None:
        decoder = carry.plan.decoder
        shape = (width, decoder.num_blocks, decoder.kernel_size - 1, decoder.attention_dim)
        carry.cache = np.zeros(shape, np.float32)
    return carry.cache


def _stack(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Stack along a new first axis; one array needs no copy."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)


def _all(log_probs: F32) -> tuple[F32, I64]:
    """Every token as a candidate, in the order of the ids."""
    return log_probs, np.broadcast_to(np.arange(log_probs.shape[-1]), log_probs.shape)


def _best(log_probs: F32, count: int) -> tuple[F32, I64]:
    """The `count` best candidates of each hypothesis, ties by lower id."""
    ids = np.argsort(-log_probs, axis=-1, kind="stable")[..., :count]
    return np.take_along_axis(log_probs, ids, axis=-1), ids
