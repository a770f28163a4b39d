"""Live recognition: packets in, events shown as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from uniasr.cli.live import open_view
from uniasr.cli.packets import Packets, from_file, from_microphone, from_standard_input
from uniasr.cli.parts import AUTO, NONE, PartRequest, open_pipeline
from uniasr.errors import OptionError
from uniasr.types import ENDPOINT_RULES

MOST_PACKET_MS = 60_000
"""Room for a whole packet is made before it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(PartRequest):
    """What the command line asks for."""

    source: str | None
    endpoint: bool
    refresh_ms: int | None
    realtime: bool
    sample_rate: int
    channels: int
    packet_ms: int

    def __post_init__(self) -> None:
        for name in ("sample_rate", "channels", "packet_ms"):
            if getattr(self, name) < 1:
                raise OptionError(f"--{name.replace('_', '-')} is {getattr(self, name)}; give a positive number")
        if self.packet_ms > MOST_PACKET_MS:
            raise OptionError(f"--packet-ms is {self.packet_ms}; give at most {MOST_PACKET_MS}")


def run(request: Request) -> None:
    """Recognise one source and show the events.

    Of a detector and rules, one ends the texts: with rules "auto" is no detector.
    """
    if request.endpoint and request.vad == AUTO:
        request = replace(request, vad=NONE)
    pipeline, _ = open_pipeline(request)
    options = {**request.options, "refresh_ms": request.refresh_ms}
    options["endpoint"] = ENDPOINT_RULES if request.endpoint else None
    start = partial(pipeline.stream, request.mode, request.latency, **options)
    start()  # wrong options are told before any audio is waited for
    packets = _open(request)
    feed = _paced(packets) if request.realtime and not packets.endless else packets.packets
    with (
        start(sample_rate=packets.sample_rate_hz, channels=packets.channels) as stream,
        open_view() as view,
    ):
        try:
            for packet in feed:
                view.show(stream.accept(packet))
        except KeyboardInterrupt:  # it also ends a program at the other end of the pipe: its last words count
            if not (packets.endless or request.source == "-"):
                raise
        view.show(stream.finish())


def _open(request: Request) -> Packets:
    if request.source is None:
        return from_microphone(request.sample_rate, request.channels, request.packet_ms)
    if request.source == "-":
        return from_standard_input(request.sample_rate, request.channels, request.packet_ms)
    return from_file(request.source, request.packet_ms)


def _paced(packets: Packets) -> Iterator[object]:
    """The packets, each when its last sample would have been spoken."""
    start, audio_s = time.monotonic(), 0.0
    for packet in packets.packets:
        audio_s += packets.seconds(packet)
        time.sleep(max(0.0, start + audio_s - time.monotonic()))
        yield packet
