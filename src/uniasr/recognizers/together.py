"""Many recordings through sessions of one kind, some of them at a time: what every family's batches are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from uniasr.audio.load import Waveform
from uniasr.errors import UniasrError
from uniasr.types import F32


class Session(Protocol):
    """An input on its way through a recogniser."""

    ended: bool

    def feed(self, samples: F32) -> None:
        """Take mono samples."""

    def end(self) -> None:
        """The audio is complete."""


S = TypeVar("S", bound=Session)
Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Family(Generic[S, Part, Result]):
    """How recordings of one kind of session are worked on."""

    open: Callable[[int], S]
    """A session for a sample rate."""
    advance: Callable[[Sequence[S]], None]
    """Runs whatever is ready in some sessions."""
    parts: Callable[[S], Iterable[Part]]
    """What has become certain since the last call."""
    result: Callable[[S, list[Part]], Result]
    """The outcome of a session that has ended, from all its parts."""


@dataclass(slots=True, eq=False)
class _Job(Generic[S, Part, Result]):
    """One recording: its blocks, its session once the rate is known, its outcome once it is done."""

    source: Iterator[Waveform]
    session: S | None = None
    outcome: Result | UniasrError | None = None
    parts: list[Part] = field(default_factory=list)

    def feed(self, family: Family[S, Part, Result]) -> None:
        """Give the session its next block, or the end."""
        if self.outcome is not None:
            return
        try:
            block = next(self.source, None)
        except UniasrError as error:
            self.outcome = error
            return
        if block is None:
            assert self.session is not None  # a source has at least one block
            self.session.end()
            return
        if self.session is None:
            self.session = family.open(block.sample_rate_hz)
        self.session.feed(block.samples)

    def collect(self, family: Family[S, Part, Result]) -> None:
        """Keep what has become certain; after the end of the audio it is the outcome."""
        if self.session is None or self.outcome is not None:
            return
        self.parts.extend(family.parts(self.session))
        if self.session.ended:
            self.outcome = family.result(self.session, self.parts)


def together(
    sources: Iterable[Iterator[Waveform]], family: Family[S, Part, Result], most: int
) -> Iterator[Result | UniasrError]:
    """Outcomes in order. Up to `most` recordings advance together, each fed a block at a time."""
    waiting = iter(sources)
    working: list[_Job[S, Part, Result]] = []
    while True:
        while len(working) < most and (source := next(waiting, None)) is not None:
            working.append(_Job(source))
        if not working:
            return
        for job in working:
            job.feed(family)
        family.advance([job.session for job in working if job.session is not None and job.outcome is None])
        for job in working:
            job.collect(family)
        while working and (outcome := working[0].outcome) is not None:
            working.pop(0)
            yield outcome


def raising(outcomes: Iterable[Result | UniasrError]) -> Iterator[Result]:
    """The results in order; an error raises when its turn comes."""
    for outcome in outcomes:
        if isinstance(outcome, UniasrError):
            raise outcome
        yield outcome
