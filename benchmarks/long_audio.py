"""Long recordings with the packaged parts: accuracy with and without voice activity detection, loops, false text, cost.

    python benchmarks/long_audio.py --speech DIR --noise DIR... [--hours 1] [--memory-hours 6]

DIR of speech holds zip files of recordings with a table beside each (columns `file` and `kana`), each DIR of noise
one with sounds without words. Talk is made of the recordings with pauses of 0.3 to 2.5 s and a faint noise. A loop is a
stretch of four or more tokens that follows itself twice.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import resource
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

import uniasr
from uniasr.audio.resample import resample
from uniasr.text.kana import katakana_only
from uniasr.training.evaluation.errors import align, count

RATE = 16_000
LOOP = re.compile(r"(.{4,}?)\1\1")


def recordings(folder: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Samples and readings of all recordings of a folder, in order."""
    for table in sorted(folder.glob("*.tsv")):
        with zipfile.ZipFile(table.with_suffix(".zip")) as archive, table.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                samples, rate = soundfile.read(io.BytesIO(archive.read(row["file"])), dtype="float32")
                yield (samples if rate == RATE else resample(samples, rate, RATE)), row.get("kana", "")


def talk(folder: Path, seconds: float) -> tuple[np.ndarray, str]:
    """Recordings with pauses between them, over again if need be, and what is said in them."""
    random, found = np.random.default_rng(4), list(recordings(folder))
    parts, texts, length = [], [], 0
    while length < seconds * RATE:
        for i in random.permutation(len(found)):
            pause = np.zeros(int(RATE * random.uniform(0.3, 2.5)), np.float32)
            parts += [found[i][0], pause]
            texts.append(found[i][1])
            length += len(parts[-2]) + len(pause)
            if length >= seconds * RATE:
                break
    samples = np.concatenate(parts)
    return samples + random.standard_normal(len(samples)).astype(np.float32) * np.float32(0.001), "".join(texts)


def music(seconds: float) -> np.ndarray:
    """Chords of decaying harmonics with a beat: music without words."""
    random, out = np.random.default_rng(5), np.zeros(int(seconds * RATE), np.float32)
    time_s = np.arange(RATE) / RATE
    for beat in range(int(seconds * 2)):
        start = beat * RATE // 2
        for note in random.choice([0, 3, 4, 7, 10, 12], 3, replace=False):
            hertz = 130.8 * 2 ** ((note + 12 * random.integers(0, 2)) / 12)
            tone = sum(np.sin(2 * np.pi * hertz * k * time_s) / k for k in range(1, 6)) * np.exp(-3 * time_s)
            out[start : start + RATE] += (0.05 * tone).astype(np.float32)[: len(out) - start]
    return out


def error_rate(text: str, said: str) -> float:
    """Character error rate in kana."""
    return 100 * count(align(list(katakana_only(said)), list(katakana_only(text)))).rate


def report(name: str, *figures: str) -> None:
    print("| " + " | ".join((name, *figures)) + " |", flush=True)


def measured(pipeline: uniasr.Pipeline, samples: np.ndarray, **options: object) -> tuple[uniasr.Transcript, float]:
    """A transcript and the processor seconds per second of audio that it took."""
    started = time.process_time()
    found = pipeline.transcribe(samples, RATE, output="kana", **options)
    return found, (time.process_time() - started) / (len(samples) / RATE)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--noise", type=Path, nargs="+", required=True)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--memory-hours", type=float, default=6.0)
    parser.add_argument("--mode", default="offline")
    parser.add_argument("--merge", type=float, nargs="+", default=[0.0, 15.0])
    options = parser.parse_args()
    model, vad = uniasr.load_model(threads=1), uniasr.load_vad(threads=1)
    bare, cut = uniasr.Pipeline(model), uniasr.Pipeline(model, vad)
    samples, said = talk(options.speech, options.hours * 3600)
    report("talk", "CER %", "segments", "loops", "CPU s per s")
    report("---", "---", "---", "---", "---")
    speech_cost = 1.0
    for name, pipeline, call in (
        ("without a detector", bare, {}),
        *((f"with one, merge {merge:g} s", cut, {"merge_s": merge}) for merge in options.merge),
    ):
        found, cost = measured(pipeline, samples, mode=options.mode, **call)
        if pipeline is cut:
            speech_cost = cost
        loops = len(LOOP.findall(found.text))
        report(name, f"{error_rate(found.text, said):.2f}", str(len(found.segments)), str(loops), f"{cost:.4f}")
    print()
    report("without words", "tokens per hour with a detector", "without", "CPU s per s with one", "share of talk's")
    report("---", "---", "---", "---", "---")
    faint = np.random.default_rng(6).standard_normal(600 * RATE).astype(np.float32) * np.float32(0.0005)
    for name, quiet in (
        ("digital silence", np.zeros(600 * RATE, np.float32)),
        ("faint noise", faint),
        *(
            (f"sounds in {folder.name}", np.concatenate([one for one, _ in recordings(folder)]))
            for folder in options.noise
        ),
        ("music", music(300)),
    ):
        hours = len(quiet) / RATE / 3600
        found, cost = measured(cut, quiet, mode=options.mode)
        alone, _ = measured(bare, quiet, mode=options.mode)
        figures = (f"{len(one.tokens) / hours:.0f}" for one in (found, alone))
        report(name, *figures, f"{cost:.5f}", f"{cost / speech_cost:.0%}")
    print()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "long.flac"
        tenth = samples[: 360 * RATE]
        with soundfile.SoundFile(path, "w", RATE, 1) as file:
            for _ in range(round(options.memory_hours * 10)):
                file.write(tenth)
        before, tokens = peak_mib(), 0
        for segment in cut.segments(path, mode=options.mode):
            tokens += len(segment.tokens)
        grown = peak_mib() - before
        print(f"{options.memory_hours:g} h, segment by segment: {tokens} tokens, {grown:+.0f} MiB of peak memory")


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
