"""The only driver: it runs whatever is ready in any number of sessions, chunks and steps together in one call each.

Streams, files, batches and servers all go through `advance`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from uniasr.engines.base import Engine
from uniasr.recognizers.uniasr.ctc_head import hear, weigh
from uniasr.recognizers.uniasr.encoding import encode
from uniasr.recognizers.uniasr.firing import fire
from uniasr.recognizers.uniasr.passes import EncodedChunk, PassCarry
from uniasr.recognizers.uniasr.session import Session
from uniasr.recognizers.uniasr.steps import take_steps


def advance(engine: Engine, sessions: Sequence[Session]) -> None:
    """Run everything that is ready in these sessions."""
    while True:
        busy = _run_pass(engine, sessions, 1)
        busy = _run_pass(engine, sessions, 2) or busy
        busy = _finish(engine, sessions) or busy
        if not busy:
            return


def _run_pass(engine: Engine, sessions: Sequence[Session], number: int) -> bool:
    groups: dict[int, list[tuple[Session, PassCarry, int]]] = defaultdict(list)
    for session in sessions:
        count = session.chunks_to_run(number)
        carry = session.segment.carry(number)
        if count and carry is not None:
            groups[carry.plan.latency].append((session, carry, count))
    for group in groups.values():
        encoded = encode(engine, [(carry, count) for _, carry, count in group])
        for turn in range(max(len(chunks) for chunks in encoded)):
            _take_turn(
                engine,
                [
                    (session, carry, chunks[turn])
                    for (session, carry, _), chunks in zip(group, encoded, strict=True)
                    if turn < len(chunks) and session.segment.num_frames is None
                ],
            )
    return bool(groups)


def _take_turn(engine: Engine, turn: Iterable[tuple[Session, PassCarry, EncodedChunk]]) -> None:
    """Integrate one chunk of each session, take the steps that this makes ready, report."""
    jobs = [(session, carry, chunk, session.closing(carry, chunk)) for session, carry, chunk in turn]
    if jobs:
        integrated = [(carry, chunk, count) for _, carry, chunk, count in jobs]
        fire(engine, integrated)
        take_steps(engine, [carry for carry, _, _ in integrated])
        hear(engine, integrated)
        weigh([carry for carry, _, _ in integrated])
        for session, carry, chunk, _ in jobs:
            session.took(carry, chunk)


def _finish(engine: Engine, sessions: Sequence[Session]) -> bool:
    """Take the last steps of complete segments and close them, or have them heard again."""
    complete = [session for session in sessions if session.complete()]
    done = [session for session in complete if not session.hear_again()]
    for session in done:
        session.segment.final.ended = True
    take_steps(engine, [session.segment.final for session in done])
    for session in done:
        session.finish_segment()
    return bool(complete)
