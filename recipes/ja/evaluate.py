"""Reading-level character error rate of a model directory on the development sets, in every mode.

python evaluate.py MODEL --data DATA --hts-dev SYNTH/hts_dev [--limit 100]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from corpus import RATE, Recording, real_words, synthetic, table
from rapidfuzz.distance import Levenshtein

import uniasr
from uniasr.text.units import katakana_only


def read_sentences(folder: Path) -> list[Recording]:
    """The few real sentences: a smoke test."""
    return [
        Recording(
            row["key"], folder / "sentences.zip", row["file"], katakana_only(row["kana"]), "dev", text=row["text"]
        )
        for row in table(folder / "sentences.tsv")
    ]


def development_sets(data: Path, hts_dev: Path) -> dict[str, list[Recording]]:
    """Recordings by set name; words get 0.3 s of silence on both sides when they are read."""
    words = [recording for recording in real_words(data / "ja_real") if recording.split == "dev"]
    return {
        "synthetic-kokoro": synthetic(data / "ja_synth_dev"),
        "synthetic-hts": synthetic(hts_dev),
        "real-words": words,
        "real-sentences": read_sentences(data / "ja_real"),
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hts-dev", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--modes", default="fast,normal,offline")
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    model = uniasr.load_model(options.model)
    print("set               mode     CER %  errors/kana  recordings  RTF")
    for name, recordings in development_sets(options.data, options.hts_dev).items():
        recordings = recordings[: options.limit]
        pad = np.zeros(int(0.3 * RATE), np.float32)
        audio = [np.concatenate([pad, recording.samples(), pad]) for recording in recordings]
        for mode in options.modes.split(","):
            started = time.perf_counter()
            transcripts = model.transcribe_batch(audio, sample_rate=RATE, mode=mode, beam_size=options.beam_size)
            rtf = (time.perf_counter() - started) / (sum(map(len, audio)) / RATE)
            pairs = [(r.kana, katakana_only(t.text)) for r, t in zip(recordings, transcripts, strict=True)]
            errors, total = sum(Levenshtein.distance(*pair) for pair in pairs), sum(len(kana) for kana, _ in pairs)
            print(
                f"{name:17} {mode:8} {100 * errors / total:5.1f}  {errors:5}/{total:<5}  {len(pairs):6}  {rtf:9.3f}",
                flush=True,
            )
        for kana, text in pairs[: options.show]:
            print("   ", kana, "|", text)


if __name__ == "__main__":
    main()
