"""How far the times of tokens are from the truth, on synthetic Japanese speech whose mora times are known.

    python benchmarks/timestamps.py --voices DIR --text FILE [--model MODEL] [--recordings 40] [--calibrate]

Needs `pyopenjtalk-plus`, `scipy` and `rapidfuzz` beside uniasr. DIR holds HTS voices (*.htsvoice), FILE sentences, one
a line or the column `text` of a table (.tsv, .tsv.xz). At speed 1 a label's duration in HTS does not depend on its
neighbours, so that synthesising the labels one by one gives the exact time of every phone. Tempo is changed by
resampling sound and times together.

Prints, per condition and mode, the accumulated averaging shift AAS (mean of |start - true start| and |end - true end|:
Shi et al. 2023, arXiv 2301.12343) of the tokens that were recognised rightly, beside that of plain CIF positions (from
firing to firing, nothing else).

Every second voice and every second sentence are for calibration, the others for the report. `--calibrate` prints the
value of `time_shift_ms` for a model.yaml, measured with no shift: the mean over voices of the median error.
"""

from __future__ import annotations

import argparse
import lzma
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd
from pathlib import Path

import numpy as np
import pyopenjtalk
from pyopenjtalk.htsengine import HTSEngine
from rapidfuzz.distance import Levenshtein
from scipy.signal import fftconvolve, resample_poly

import uniasr
from uniasr.recognizers.uniasr import segments
from uniasr.text.kana import katakana_only
from uniasr.text.units import morae

RATE = 16_000
MODES = ("fast", "normal", "offline")
MORA_ENDS = {*"aiueoAIUEO", "N", "cl"}
"""Phones that complete a mora; capitals are devoiced vowels."""
SENTENCES = 3
"""Sentences of a recording."""
CONDITIONS = ("clean", "noise 10 dB", "room 0.4 s")


@dataclass(frozen=True)
class Recording:
    """Samples and what is said in them when."""

    voice: str
    samples: np.ndarray
    morae: list[tuple[str, float, float]]
    """Katakana, start and end in milliseconds."""


@dataclass(frozen=True)
class Errors:
    """Times found minus true ones in ms, [n, 2] start and end, of the matched tokens; and the number of all morae."""

    ours: np.ndarray
    plain: np.ndarray
    total: int


def sentences(path: Path) -> list[str]:
    """The sentences of a file."""
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    if "text" not in rows[0]:
        return [row[0] for row in rows if row[0]]
    return [row[rows[0].index("text")] for row in rows[1:]]


def speak(engine: HTSEngine, text: str, tempo: float) -> tuple[np.ndarray, list[tuple[str, float, float]]] | None:
    """Samples and mora times of a sentence; None where morae and phones do not correspond one to one."""
    labels = pyopenjtalk.extract_fullcontext(text)
    lengths = [len(engine.synthesize([label])) for label in labels]
    sound = engine.synthesize(labels) / 32768.0
    assert sum(lengths) == len(sound)
    rate = engine.get_sampling_frequency()
    spans, place, start = [], 0, None
    for label, length in zip(labels, lengths, strict=True):
        phone = label.split("-")[1].split("+")[0]
        if phone in ("sil", "pau"):
            start = None
        else:
            start = place if start is None else start
            if phone in MORA_ENDS:
                spans.append((start, place + length))
                start = None
        place += length
    kana = morae(katakana_only(pyopenjtalk.g2p(text, kana=True)))
    if len(kana) != len(spans):
        return None
    down = round(rate * tempo / 100) * 100
    common = gcd(RATE, down)
    samples = resample_poly(sound, RATE // common, down // common).astype(np.float32)
    ms = 1000 / down
    return samples / np.abs(samples).max() * 0.6, [
        (one, first * ms, last * ms) for one, (first, last) in zip(kana, spans, strict=True)
    ]


def recordings(voices: list[Path], texts: list[str], count: int) -> Iterator[Recording]:
    """Recordings of three sentences each, voices in turn, tempo 0.92 to 1.1."""
    rng = np.random.default_rng(5)
    engines = {voice.stem: HTSEngine(str(voice).encode()) for voice in voices}
    waiting = iter(rng.permutation(texts).tolist())
    for number in range(count):
        voice = voices[number % len(voices)].stem
        parts, truth, offset = [], [], 0.0
        while len(parts) < SENTENCES:
            spoken = speak(engines[voice], next(waiting), float(rng.uniform(0.92, 1.1)))
            if spoken is not None:
                parts.append(spoken[0])
                truth += [(kana, start + offset, end + offset) for kana, start, end in spoken[1]]
                offset += len(spoken[0]) * 1000 / RATE
        samples = np.concatenate(parts)
        floor = rng.standard_normal(len(samples)) * 1e-4
        yield Recording(voice, (samples + floor).astype(np.float32), truth)


def spoiled(recording: Recording, condition: str) -> Recording:
    """The recording with pink noise, or in a room (exponential decay behind the direct sound)."""
    rng, samples = np.random.default_rng(7), recording.samples
    if condition.startswith("noise"):
        spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 20)), len(samples))
        samples = samples + noise * np.sqrt(np.mean(samples**2) / np.mean(noise**2) / 10)
    elif condition.startswith("room"):
        times = np.arange(int(0.4 * RATE)) / RATE
        response = rng.standard_normal(len(times)) * 10 ** (-3 * times / 0.4) * 0.03
        response[0] = 1.0
        samples = fftconvolve(samples, response)[: len(samples)]
    return replace(recording, samples=(samples / np.abs(samples).max() * 0.6).astype(np.float32))


class PlainTimes:
    """Stands in for `token_times` and keeps what plain CIF positions would have said."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []
        self._token_times = segments.token_times

    def __call__(self, ends, middles, num_tokens, **around):
        """Times as ever; the plain ones are added to `times`."""
        positions = [0.0, *ends[:num_tokens]] + [float(around["num_rows"])] * (num_tokens - len(ends))
        in_ms = [around.get("offset_ms", 0.0) + position * around["row_ms"] for position in positions]
        self.times += pairwise(in_ms)
        return self._token_times(ends, middles, num_tokens, **around)


def errors(model: uniasr.Uniasr, recording: Recording, mode: str, plain: PlainTimes) -> Errors:
    """Errors of one recording."""
    plain.times = []
    tokens = model.transcribe(recording.samples, RATE, mode, output="kana").tokens
    assert len(tokens) == len(plain.times)
    said, true = [token.text for token in tokens], [kana for kana, _, _ in recording.morae]
    pairs = [
        (op.src_start + i, op.dest_start + i)
        for op in Levenshtein.opcodes(said, true)
        if op.tag == "equal"
        for i in range(op.src_end - op.src_start)
    ]
    truth = np.array([recording.morae[j][1:] for _, j in pairs]).reshape(-1, 2)
    ours = np.array([(tokens[i].start_ms, tokens[i].end_ms) for i, _ in pairs]).reshape(-1, 2)
    return Errors(ours - truth, np.array([plain.times[i] for i, _ in pairs]).reshape(-1, 2) - truth, len(true))


def report(found: list[Errors]) -> str:
    """Cells of a table line."""
    ours, plain = (np.concatenate([getattr(one, name) for one in found]) for name in ("ours", "plain"))
    size = np.abs(ours)
    start, end = np.median(ours, axis=0)
    return " | ".join(
        [
            f"{len(ours)} ({len(ours) / sum(one.total for one in found):.0%})",
            f"{np.abs(plain).mean():.0f}",
            f"{size.mean():.0f}",
            f"{size[:, 0].mean():.0f}",
            f"{size[:, 1].mean():.0f}",
            f"{start:+.0f}, {end:+.0f}",
            *(f"{(size <= limit).mean():.0%}" for limit in (50, 100)),
        ]
    )


def calibrate(model: uniasr.Uniasr, spoken: list[Recording], plain: PlainTimes) -> None:
    """Print the shift of each pass: fast mode for pass 1, offline for pass 2."""
    shifts = []
    for number, mode in enumerate(("fast", "offline")):
        by_voice = defaultdict(list)
        for recording in spoken:
            by_voice[recording.voice].append(errors(model, recording, mode, plain).ours)
        medians = [float(np.median(np.concatenate(own))) for own in by_voice.values()]
        print(mode, {voice: round(median) for voice, median in zip(by_voice, medians, strict=True)}, flush=True)
        shifts.append(round(model.config.time_shift_ms[number] - float(np.mean(medians))))
    print(f"time_shift_ms: {shifts}")


def main() -> None:
    """Parse, synthesise, recognise, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--calibrate", action="store_true")
    options = parser.parse_args()
    own = 0 if options.calibrate else 1
    voices, texts = sorted(options.voices.glob("*.htsvoice"))[own::2], sentences(options.text)[own::2]
    model = uniasr.load_model(options.model, threads=options.threads)
    segments.token_times = plain = PlainTimes()
    spoken = list(recordings(voices, texts, options.recordings))
    if options.calibrate:
        calibrate(model, spoken, plain)
        return
    minutes = sum(len(recording.samples) for recording in spoken) / RATE / 60
    print(f"{len(spoken)} recordings, {minutes:.1f} minutes, voices {', '.join(voice.stem for voice in voices)}\n")
    print("| condition | mode | tokens matched | plain CIF | AAS | start | end | medians | <= 50 ms | <= 100 ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for condition in CONDITIONS:
        heard = [spoiled(recording, condition) for recording in spoken]
        for mode in MODES:
            print(
                f"| {condition} | {mode} | {report([errors(model, one, mode, plain) for one in heard])} |", flush=True
            )


if __name__ == "__main__":
    main()
