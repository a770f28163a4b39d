"""Error rates of a model on the development sets, in every mode or at every latency, and in noise.

    python evaluate.py --data DATA --hts-dev SYNTH/hts_dev [MODEL] [--latencies all] [--noise]
        [--unseen DIR... [--sounds DIR]] [--json results/ja.json]

Kana: what the recogniser heard, against the corpus reading. Written: what it writes, against the corpus text, NFKC
without marks and blanks; numbers: the same with numbers in digits on both sides, since texts have 5 where the model
writes 五.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus import RATE, Recording
from development import Trial, clean_trials, noisy_trials, unheard_trials

import uniasr
from uniasr.recognizers.uniasr import Uniasr
from uniasr.text import itn
from uniasr.text.kana import katakana_only
from uniasr.training.evaluation.measure import Outcome, Score, plan, score
from uniasr.training.evaluation.units import characters
from uniasr.types import MODES, Transcript

Pair = tuple[str, int]
"""A mode and the index of a latency."""


def heard(transcript: Transcript) -> str:
    """The kana that a transcript was written from."""
    return katakana_only("".join(token.reading or token.text for token in transcript.tokens))


def written_scores(recordings: Sequence[Recording], texts: Sequence[str]) -> list[Score]:
    """Written CER as it stands, and with numbers in digits on both sides."""
    said = [recording.text for recording in recordings]
    digits = [[itn(text, "ja") for text in side] for side in (said, texts)]
    return score(said, texts, {"written": characters}) + score(*digits, {"numbers": characters})


def measure(model: Uniasr, trial: Trial, pair: Pair, **options: Any) -> Outcome:
    """One mode at one latency on one set. Real-time factor: processor time on one thread, recordings in batches."""
    audio = trial.audio()
    started = time.process_time()
    transcripts = model.transcribe_batch(audio, RATE, *pair, **options)
    outcome = Outcome(*pair, rtf=(time.process_time() - started) / (sum(map(len, audio)) / RATE))
    kana = [recording.kana for recording in trial.recordings]
    outcome.scores = score(kana, list(map(heard, transcripts)), {"kana": list})
    if options.get("output") != "kana":
        outcome.scores += written_scores(trial.recordings, [transcript.text for transcript in transcripts])
    return outcome


def row(trial: Trial, outcome: Outcome, **more: Any) -> dict[str, Any]:
    """A result, ready for JSON."""
    where = {"set": trial.set, "noise": trial.noise, "snr_db": trial.snr_db, "recordings": len(trial.recordings)}
    return where | more | {key: value for key, value in outcome.to_dict().items() if key != "delays"}


def runs(model: Uniasr, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All that was asked for, a line printed for each."""
    modes = plan(model, MODES, None)
    pairs = modes + (other_latencies(model, modes) if options.latencies == "all" else [])
    search = {} if options.beam_size is None else {"beam_size": options.beam_size}
    for trial in clean_trials(options.data, options.hts_dev, options.limit, options.unseen):
        for pair in pairs:
            yield shown(trial, measure(model, trial, pair, **search), converter=True)
        for pair in modes if options.alone else ():
            call = {"converter": "none", "output": "kana", **search}
            yield shown(trial, measure(model, trial, pair, **call), converter=False)
    for trial in noisy_trials(options.data, options.hts_dev, options.limit) if options.noise else ():
        for pair in modes:
            yield shown(trial, measure(model, trial, pair, **search), converter=True)
    for trial in unheard_trials(options.unseen, options.sounds, options.limit) if options.sounds else ():
        for pair in modes:
            yield shown(trial, measure(model, trial, pair, **search), converter=True)


def other_latencies(model: Uniasr, modes: Sequence[Pair]) -> list[Pair]:
    """What the modes do not choose; fast mode writes what pass 1 heard at a latency, offline mode what pass 2 did."""
    return [pair for pair in plan(model, ["fast", "offline"], "all") if pair not in modes]


def shown(trial: Trial, outcome: Outcome, converter: bool) -> dict[str, Any]:
    """The row of a result, printed."""
    rates = "".join(f"{100 * one.counts.rate:8.1f} {span(one):11}" for one in outcome.scores)
    name = trial.name + ("" if converter else ", alone")
    print(f"{name:32} {outcome.mode:8} {outcome.latency:3} {outcome.rtf:7.4f} {rates}", flush=True)
    return row(trial, outcome, converter=converter)


def span(one: Score) -> str:
    """An interval in percent."""
    return f"({100 * one.low:.1f}-{100 * one.high:.1f})"


def about(model: Uniasr) -> dict[str, Any]:
    """The model: size with its converter, delays of its latencies, and what its modes choose."""
    assert model.directory is not None
    parts = (model.directory.parent / name for name in (model.card.get("parts") or {}).values())
    sizes = {
        folder.name: sum(file.stat().st_size for file in folder.iterdir())
        for folder in (model.directory, *parts)
        if folder.is_dir()
    }
    modes = {mode: asdict(settings) for mode, settings in model.config.modes.items()}
    return {"bytes": sizes, "latencies": [asdict(one) for one in model.latencies], "modes": modes}


def main() -> None:
    """Print a table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a directory  [default: the packaged model]")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hts-dev", type=Path, required=True)
    parser.add_argument("--unseen", type=Path, nargs="+", default=(), help="speech of other voices, see unseen.py")
    parser.add_argument("--sounds", type=Path, help="that speech among these sounds, too, see heldout_sounds.py")
    parser.add_argument("--limit", type=int, help="only the first recordings of every set")
    parser.add_argument("--beam-size", type=int, help="the model's own by default")
    parser.add_argument("--latencies", choices=("modes", "all"), default="modes", help="the modes' own, or every one")
    parser.add_argument("--noise", action="store_true", help="with noise and babble, too")
    parser.add_argument("--alone", action="store_true", help="without the converter's judgement, too")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    model = uniasr.load_model(options.model, threads=1)
    print(f"{'CER % (95 %)':32} {'mode':8} lat {'RTF':>7} {'kana':>8} {'':11}{'written':>8} {'':11}{'numbers':>8}")
    results = list(runs(model, options))
    if options.json:
        settings = {"limit": options.limit, "beam_size": options.beam_size or model.config.beam_size}
        options.json.write_text(json.dumps({"model": about(model), **settings, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
