"""A stream of hours: memory and time must stay flat.

    python benchmarks/long_stream.py [--hours 2] [--mode normal] [--model DIR] [--recording FILE]

Feeds a recording over and over in packets of 100 ms and prints, for every ten minutes of audio, the time they took, the
resident memory, and the events.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np

import uniasr
from uniasr.audio.load import load

PACKET_S = 0.1
REPORT_S = 600


def resident_mib() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--mode", default="normal")
    parser.add_argument("--model")
    parser.add_argument("--recording", default=str(Path(uniasr.__file__).parent / "packaged" / "samples" / "ja.wav"))
    options = parser.parse_args()
    sound = load(options.recording)
    rate = sound.sample_rate_hz
    pauses = np.random.default_rng(1).uniform(0.2, 1.5, 1000)
    packet = int(rate * PACKET_S)
    waiting, given, fed = np.zeros(0, np.float32), 0, 0
    counts: Counter[str] = Counter()
    started = time.perf_counter()
    print("audio min | time s | RTF    | memory MiB | events")
    with uniasr.load_model(options.model).stream(options.mode, sample_rate=rate) as stream:
        while fed < options.hours * 3600 * rate:
            if len(waiting) < packet:
                pause = np.zeros(int(rate * pauses[given % len(pauses)]), np.float32)
                waiting, given = np.concatenate([waiting, sound.samples, pause]), given + 1
            counts.update(type(event).__name__ for event in stream.accept(waiting[:packet]))
            waiting, fed = waiting[packet:], fed + packet
            if fed % (REPORT_S * rate) < packet:
                passed, started = time.perf_counter() - started, time.perf_counter()
                print(
                    f"{fed / rate / 60:9.0f} | {passed:6.1f} | {passed / REPORT_S:.4f} | {resident_mib():10.1f} | "
                    f"{dict(counts)}",
                    flush=True,
                )
                counts.clear()
        counts.update(type(event).__name__ for event in stream.finish())


if __name__ == "__main__":
    main()
