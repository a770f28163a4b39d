"""How the events of a stream are shown: redrawn in place on a terminal, a line each elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from uniasr.cli.sinks import put
from uniasr.formats.lines import one_line
from uniasr.text.join import pieces
from uniasr.types import Event, Final

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text


class View(Protocol):
    """Shows events."""

    def show(self, events: Sequence[Event]) -> None:
        """Show these events, now."""


@contextmanager
def open_view() -> Iterator[View]:
    """The view that fits standard output."""
    if not sys.stdout.isatty() or os.environ.get("TERM") in (None, "dumb", "unknown"):
        yield Lines()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(highlight=False), auto_refresh=False, transient=True) as live:
        yield Screen(live)


class Lines:
    """One line per event: kind, end of the audio covered in ms, text of the segment, separated by tabs."""

    def show(self, events: Sequence[Event]) -> None:
        """Print the events."""
        for event in events:
            put(f"{type(event).__name__.lower()}\t{event.audio_ms}\t{one_line(event.text)}\n")


class Screen:
    """The open segment at the bottom, redrawn with each event; closed segments stand above it with their times."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, events: Sequence[Event]) -> None:
        """Redraw; of several events at once only the last one of a segment is seen."""
        from rich.text import Text

        if not events:
            return
        for event in events:
            if isinstance(event, Final) and event.text:
                times = f"[{_clock(event.result.start_ms)} - {_clock(event.result.end_ms)}] "
                self._live.console.print(
                    Text(times, style="cyan").append(one_line(event.text), style="default"), soft_wrap=True
                )
        last = events[-1]
        self._live.update(Text() if isinstance(last, Final) else self._open_text(last), refresh=True)

    def _open_text(self, event: Event) -> Text:
        """Text of an open segment, what may still change in dim type; only its end if the terminal is too small."""
        from rich.text import Text

        parts = pieces([token.text for token in event.tokens])
        text = Text("".join(parts[: event.stable])).append("".join(parts[event.stable :]), style="dim")
        console = self._live.console
        room = console.width * max(1, console.height - 2)
        while text.cell_len > room:
            text = text[max(1, (text.cell_len - room) // 2) :]
        return text


def _clock(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000 // 10:02d}"
