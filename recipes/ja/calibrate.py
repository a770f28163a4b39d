"""How far a model's confidences can be believed, and the map in its model.yaml that makes them so.

    python calibrate.py MODEL --data DATA --hts-dev SYNTH/hts_dev --calibration SYNTH/cal_hts SYNTH/cal_kokoro

The map is fitted on recordings of sentences that neither the recogniser nor its converter was trained on, each clean
and once in noise, and printed as lines for model.yaml. The development sets tell what it is worth: expected calibration
errors (ECE) of the tokens in kana and as written, without and with it, and how well `Transcript.confidence` tells
transcripts with an error from those without (AUROC).

Sources: Platt 1999, Probabilistic outputs for support vector machines; Guo and others 2017, On calibration of modern
neural networks.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml
from corpus import RATE, Recording, Samples, noises, synthetic
from development import development_sets
from rapidfuzz.distance import Levenshtein
from spoil import add_noise

import uniasr
from uniasr.checkpoints import read_model
from uniasr.configs.decoding import ClosedConfidenceConfig, ConfidenceConfig
from uniasr.decoding.confidence import log_odds
from uniasr.recognizers.written import Writing, conversion
from uniasr.types import MODES, DecodingOptions, Segment, Token, Transcript

F64 = npt.NDArray[np.float64]
BINS = 15
NOTHING = ConfidenceConfig()
MISFIT = ConfidenceConfig(closed=ClosedConfidenceConfig(slope=1.0, offset=0.0, misfit=1.0))
"""Log-odds less the root of the misfit: beside those of NOTHING they tell it."""
CERTAIN = 1e-6
"""Probabilities this close to 0 and 1 count as this close: what is wrong there must not decide everything."""
SILENCE = np.zeros(int(0.3 * RATE), np.float32)


@dataclass(frozen=True)
class Judged:
    """Confidences, and whether what they speak of was right (1.0 or 0.0)."""

    confidence: F64
    right: F64


@dataclass(frozen=True)
class Heard:
    """What a mode made of a set, in kana or as written: its tokens, and its transcripts (right without any error)."""

    tokens: Judged
    transcripts: Judged
    errors: F64
    """[transcripts] character error rates."""


def together(parts: Iterable[Judged]) -> Judged:
    """Several as one."""
    parts = list(parts)
    return Judged(np.concatenate([one.confidence for one in parts]), np.concatenate([one.right for one in parts]))


def all_of(parts: Sequence[Heard]) -> Heard:
    """Several as one."""
    errors = np.concatenate([one.errors for one in parts])
    return Heard(together(one.tokens for one in parts), together(one.transcripts for one in parts), errors)


def plain(text: str) -> str:
    """Letters and numbers alone."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(char for char in normal if char == "ー" or unicodedata.category(char)[0] not in "PSZ")


def judged(reference: str, tokens: Sequence[Token]) -> list[tuple[float, float]]:
    """Confidence of each token, and whether all of its characters stand in the reference (fewest edits)."""
    texts = [plain(token.text) for token in tokens]
    right = np.zeros(sum(map(len, texts)))
    for part in Levenshtein.opcodes(plain(reference), "".join(texts)):
        if part.tag == "equal":
            right[part.dest_start : part.dest_end] = 1
    ends = np.cumsum([0, *map(len, texts)])
    return [
        (token.confidence, right[start:end].min())
        for token, start, end in zip(tokens, ends, ends[1:], strict=False)
        if start < end
    ]


def heard(references: Sequence[str], transcripts: Sequence[Transcript]) -> Heard:
    """What transcripts are worth beside what is right."""
    tokens: list[tuple[float, float]] = []
    whole, errors = [], []
    for reference, transcript in zip(references, transcripts, strict=True):
        tokens += judged(reference, transcript.tokens)
        said, found = plain(reference), plain("".join(token.text for token in transcript.tokens))
        errors.append(Levenshtein.distance(said, found) / max(1, len(said)))
        whole.append((transcript.confidence, float(not errors[-1])))
    return Heard(Judged(*np.array(tokens).T), Judged(*np.array(whole).T), np.array(errors))


def both(recordings: Sequence[Recording], kana: Sequence[Transcript], writing: Writing) -> dict[str, Heard]:
    """What transcripts in kana are worth, as they are and as the converter writes them."""
    written = [replace(one, segments=tuple(writing.segment(part) for part in one.segments)) for one in kana]
    return {
        "kana": heard([recording.kana for recording in recordings], kana),
        "written": heard([recording.text for recording in recordings], written),
    }


def fit(right: F64, *inputs: F64) -> list[float]:
    """The weight of each input, and last that of a constant, which make what was right the likeliest (Newton)."""
    rows = np.stack([*inputs, np.ones(len(right))])
    weights = np.array([1.0, *[0.0] * len(inputs)])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-(weights @ rows)))
        curvature = (rows * (expected * (1 - expected))) @ rows.T
        weights = weights + np.linalg.solve(curvature, rows @ (right - expected))
    return [round(float(weight), 3) for weight in weights]


def odds(found: Judged) -> F64:
    """The log-odds of confidences."""
    inside = np.clip(found.confidence, CERTAIN, 1 - CERTAIN)
    return np.log(inside / (1 - inside))


def misfits(plain: Sequence[Transcript], less: Sequence[Transcript]) -> list[Transcript]:
    """Transcripts in which the root of the misfit of its segment stands for each confidence."""

    def root(one: Segment, other: Segment) -> float:
        pairs = zip(one.tokens, other.tokens, strict=True)
        return min((log_odds(a.confidence) - log_odds(b.confidence) for a, b in pairs if a.confidence < 1), default=0.0)

    return [
        replace(
            transcript,
            segments=tuple(
                replace(one, tokens=tuple(replace(token, confidence=root(one, other)) for token in one.tokens))
                for one, other in zip(transcript.segments, twin.segments, strict=True)
            ),
        )
        for transcript, twin in zip(plain, less, strict=True)
    ]


def bins(found: Judged, *, equal_width: bool = False) -> list[tuple[float, float, int]]:
    """Mean confidence, share of right ones and number of each bin that is not empty; of equal numbers, or widths."""
    order = np.argsort(found.confidence, kind="stable")
    edges = np.linspace(0, 1, BINS + 1)[1:-1]
    cuts = np.searchsorted(found.confidence[order], edges) if equal_width else BINS
    return [
        (float(found.confidence[part].mean()), float(found.right[part].mean()), len(part))
        for part in np.array_split(order, cuts)
        if len(part)
    ]


def ece(found: Judged, *, equal_width: bool = False) -> float:
    """Expected calibration error: the mean distance between confidence and share of right ones, over bins."""
    parts = bins(found, equal_width=equal_width)
    return sum(abs(sure - right) * count for sure, right, count in parts) / len(found.right)


def by_chance(found: Judged) -> float:
    """The ECE that confidences which are exactly true would have in so small a set."""
    random = np.random.default_rng(1)
    draws = [(random.random(len(found.right)) < found.confidence).astype(float) for _ in range(50)]
    return float(np.mean([ece(Judged(found.confidence, draw)) for draw in draws]))


def ranks(values: F64) -> F64:
    """Ranks from 0 on; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[place]


def auroc(found: Judged) -> float:
    """How probably a right one has a higher confidence than a wrong one; not a number where there are none."""
    right = found.right > 0
    pairs = right.sum() * (~right).sum()
    if not pairs:
        return float("nan")
    count = right.sum()
    return float((ranks(found.confidence)[right].sum() - count * (count - 1) / 2) / pairs)


def calibration_set(
    folders: Sequence[Path], noise: Sequence[Samples], limit: int | None
) -> tuple[list[Recording], list[Samples]]:
    """Every recording as it is, then every one with a noise 5 to 30 dB below it."""
    recordings = [recording for folder in folders for recording in synthetic(folder)[:limit]]
    random = np.random.default_rng(17)
    clean = padded(recordings)
    return recordings * 2, clean + [add_noise(samples, noise, random) for samples in clean]


def padded(recordings: Sequence[Recording]) -> list[Samples]:
    """Samples with some silence on both sides."""
    return [np.concatenate([SILENCE, recording.samples(), SILENCE]) for recording in recordings]


def with_maps(model: uniasr.Uniasr, maps: tuple[ConfidenceConfig, ConfidenceConfig]) -> uniasr.Uniasr:
    """The model with other maps."""
    assert model.directory is not None
    config = replace(model.config, confidence=maps)
    cmvn = read_model(model.directory).cmvn
    return uniasr.Uniasr(model.engine, config, model.vocabulary, cmvn, model.directory, model.card)


Measured = Mapping[tuple[str, str, str], tuple[Heard, Heard]]
"""By set, kana or written, and mode: without and with the map."""


def with_all(measured: Measured) -> Measured:
    """The same, with all sets as one behind them."""
    sets, parts, modes = (list(dict.fromkeys(names)) for names in zip(*measured, strict=True))
    every = {
        ("all", part, mode): tuple(all_of([measured[name, part, mode][i] for name in sets]) for i in (0, 1))
        for part in parts
        for mode in modes
    }
    return {**measured, **every}  # type: ignore[dict-item]


def report(measured: Measured) -> None:
    """Print what the confidences of tokens and of transcripts are worth."""
    rows = sorted(measured.items(), key=lambda item: item[0][1])  # kana first; within, as they come
    print("\ntokens              as       mode       all  right  before     ECE   width  chance   AUROC")
    for key, (before, after) in rows:
        found = after.tokens
        _line(key, found, ece(before.tokens), ece(found), ece(found, equal_width=True), by_chance(found), auroc(found))
    print("\ntranscripts         as       mode       all  right   AUROC  rank correlation with the CER")
    for key, (_, after) in rows:
        found = after.transcripts
        _line(key, found, auroc(found), float(np.corrcoef(ranks(found.confidence), ranks(after.errors))[0, 1]))


def _line(key: tuple[str, str, str], found: Judged, *values: float) -> None:
    name, part, mode = key
    numbers = "".join(f"{value:8.3f}" for value in values)
    print(f"{name:19} {part:8} {mode:8} {len(found.right):5} {found.right.mean():6.3f}{numbers}")


def reliability(measured: Measured) -> dict[str, dict[str, dict[str, object]]]:
    """Bins of equal numbers and their ECE by set and mode, of kana and of written tokens."""
    plain: dict[str, dict[str, dict[str, object]]] = {}
    for (name, part, mode), (_, after) in measured.items():
        key = name if part == "kana" else f"{name} (written)"
        plain.setdefault(key, {})[mode] = {"bins": bins(after.tokens), "ece": ece(after.tokens)}
    return plain


def fitted_maps(
    model: uniasr.Uniasr, recordings: Sequence[Recording], audio: Sequence[Samples]
) -> tuple[ConfidenceConfig, ConfidenceConfig]:
    """The map of each pass: pass 1 by fast mode; pass 2 by offline mode, which normal mode ends with too."""
    kana = [recording.kana for recording in recordings]
    own, less = with_maps(model, (NOTHING, NOTHING)), with_maps(model, (NOTHING, MISFIT))
    fast, offline = (own.transcribe_batch(audio, RATE, mode, output="kana") for mode in ("fast", "offline"))
    other = less.transcribe_batch(audio, RATE, "offline", output="kana")
    first, second = heard(kana, fast).tokens, heard(kana, offline).tokens
    slope, offset = fit(second.right, odds(second))
    root = heard(kana, misfits(offline, other)).tokens.confidence
    closed = dict(zip(("slope", "misfit", "offset"), fit(second.right, odds(second), -root), strict=True))
    return (
        ConfidenceConfig(**dict(zip(("slope", "offset"), fit(first.right, odds(first)), strict=True))),
        ConfidenceConfig(slope=slope, offset=offset, closed=ClosedConfidenceConfig(**closed)),
    )


def as_yaml(maps: Sequence[ConfidenceConfig]) -> str:
    """Lines for model.yaml."""
    plain = [{name: value for name, value in asdict(one).items() if value is not None} for one in maps]
    return yaml.safe_dump({"confidence": plain}, sort_keys=False)


def main() -> None:
    """Print the map and the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hts-dev", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, nargs="+", required=True, help="what ja_synth.py wrote (README.md)")
    parser.add_argument("--limit", type=int, help="recordings of each set")
    parser.add_argument("--json", type=Path, help="reliability of every development set and mode, for a plot")
    options = parser.parse_args()
    model = uniasr.load_model(options.model, threads=1)
    writing = conversion(DecodingOptions(output="written"), model.vocabulary, model.card, model.directory).writing(None)
    assert writing is not None
    fitted = fitted_maps(model, *calibration_set(options.calibration, noises(options.data / "noise"), options.limit))
    print(as_yaml(fitted), flush=True)
    models = [with_maps(model, maps) for maps in ((NOTHING, NOTHING), fitted)]
    measured = {}
    for name, recordings in development_sets(options.data, options.hts_dev).items():
        recordings = recordings[: options.limit]
        audio = padded(recordings)
        for mode in MODES:
            own, other = (
                both(recordings, one.transcribe_batch(audio, RATE, mode, output="kana"), writing) for one in models
            )
            measured.update({(name, part, mode): (own[part], other[part]) for part in own})
    report(with_all(measured))
    if options.json:
        options.json.write_text(json.dumps(reliability(with_all(measured)), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
