"""Captions of a recording that comes packet by packet, as from a microphone or a socket.

python examples/live_captions.py speech.wav [fast|normal]

What stands before the bar will never change again.
"""

# ruff: noqa: T201
import sys

import soundfile

import uniasr


def show(event: uniasr.Event) -> None:
    """One line per event."""
    texts = [token.text for token in event.tokens]
    settled, open_ = "".join(texts[: event.stable]), "".join(texts[event.stable :])
    print(f"{type(event).__name__:8}{event.audio_ms / 1000:7.2f} s  {settled}|{open_}", flush=True)


def main(path: str, mode: str = "normal") -> None:
    """Feed 100 ms at a time."""
    model = uniasr.load_model()
    with soundfile.SoundFile(path) as sound:
        rate, channels = sound.samplerate, sound.channels
        with model.stream(mode=mode, sample_rate=rate, channels=channels) as stream:
            for packet in sound.blocks(rate // 10, dtype="int16", always_2d=True):
                for event in stream.accept(packet):
                    show(event)
            for event in stream.finish():
                show(event)


if __name__ == "__main__":
    main(*sys.argv[1:])
