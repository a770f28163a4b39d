"""Frame error of voice activity detectors on noisy mixtures: ours, Silero VAD, WebRTC VAD, the published FSMN-VAD.

    python recipes/vad/mixtures.py --data DATA --out HELD
    pip install --no-deps silero-vad webrtcvad-wheels
    python benchmarks/vad.py HELD [--model DIR] [--published DIR]

The error is the mean of missed speech and false alarms over frames of 10 ms, each detector at its own default
threshold (WebRTC: the best of its four modes in each cell, which favours it). The labels are those of the clean speech
(recipes/vad/corpus.py). A frame of a detector that decides more coarsely is the decision in which its middle lies.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

import uniasr

RATE = 16_000
Decisions = npt.NDArray[np.bool_]
Detector = Callable[[npt.NDArray[np.int16]], list[Decisions]]
"""Samples -> decisions per 10 ms; several where a detector has several settings."""


def at_frames(decisions: Decisions, step: int, count: int) -> Decisions:
    """Decisions for every `step` samples, looked up in the middle of `count` windows of 25 ms every 10 ms."""
    middles = (np.arange(count) * 160 + 200) // step
    return decisions[np.minimum(middles, len(decisions) - 1)]


def fsmn(directory: str | None) -> Detector:
    """A detector of ours or a published one, by its own rule for single frames."""
    vad = uniasr.load_vad(directory, threads=1)
    margin = vad.config.options.speech_noise_thres

    def decide(samples: npt.NDArray[np.int16]) -> list[Decisions]:
        speech = vad.speech_probabilities(samples, RATE)
        return [speech >= 1 - speech + margin]

    return decide


def silero() -> Detector:
    """Silero VAD's ONNX file: 32 ms at a time with 4 ms of the past, threshold 0.5."""
    import onnxruntime

    package = importlib.util.find_spec("silero_vad")
    assert package is not None
    assert package.origin is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(Path(package.origin).parent / "data" / "silero_vad.onnx"), options)

    def decide(samples: npt.NDArray[np.int16]) -> list[Decisions]:
        audio = np.pad(samples.astype(np.float32) / 32768, (64, -len(samples) % 512))
        state, found = np.zeros((2, 1, 128), np.float32), []
        for start in range(0, len(audio) - 64, 512):
            window = audio[None, start : start + 576]
            score, state = session.run(None, {"input": window, "state": state, "sr": np.array(RATE)})
            found.append(score[0, 0] >= 0.5)
        return [at_frames(np.array(found), 512, 1 + (len(samples) - 400) // 160)]

    return decide


def webrtc() -> Detector:
    """WebRTC VAD in 10 ms frames, all four modes."""
    import webrtcvad

    def decide(samples: npt.NDArray[np.int16]) -> list[Decisions]:
        count = 1 + (len(samples) - 400) // 160
        found = []
        for mode in range(4):
            vad = webrtcvad.Vad(mode)
            frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
            found.append(at_frames(np.array([vad.is_speech(f.tobytes(), RATE) for f in frames]), 160, count))
        return found

    return decide


def frame_error(found: Decisions, speech: Decisions) -> float:
    """Mean of miss and false alarm."""
    speech = speech[: len(found)]
    return 0.5 * float(np.mean(~found[speech])) + 0.5 * float(np.mean(found[~speech]))


def measured(folder: Path, detectors: dict[str, Detector]) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Noise, ratio and errors of each mixture; an entry `NAME_s` holds the seconds spent."""
    for path in sorted(folder.glob("*.npz")):
        noise, _, ratio = path.stem.rpartition("_")
        mixture = np.load(path)
        row = {}
        for name, detect in detectors.items():
            started = time.process_time()
            found = detect(mixture["samples"])
            row[f"{name}_s"] = (time.process_time() - started) / len(found)
            errors = [frame_error(decisions, mixture["speech"]) for decisions in found]
            row[name] = min(errors)
            row.update({f"{name} mode {mode}": error for mode, error in enumerate(errors)})
        yield noise, int(ratio), row


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", help="instead of the packaged one")
    parser.add_argument("--published", help="directory of the published FSMN-VAD")
    options = parser.parse_args()
    detectors = {"ours": fsmn(options.model), "silero": silero(), "webrtc": webrtc()}
    if options.published:
        detectors["fsmn-vad"] = fsmn(options.published)
    rows = list(measured(options.folder, detectors))
    ratios = sorted({ratio for _, ratio, _ in rows}, reverse=True)
    noises = sorted({noise for noise, _, _ in rows})
    print("frame error in percent (mean of miss and false alarm)\n")
    print(f"| noise | SNR | {' | '.join(detectors)} |\n|{' --- |' * (2 + len(detectors))}")
    for noise in [*noises, "mean"]:
        for ratio in ratios:
            cells = [row for where, at, row in rows if at == ratio and noise in (where, "mean")]
            errors = [f"{100 * np.mean([row[name] for row in cells]):.1f}" for name in detectors]
            print(f"| {noise} | {ratio} dB | {' | '.join(errors)} |")
    for peer in ("webrtc", *(f"webrtc mode {mode}" for mode in range(4))):
        above = [f"{noise} at {ratio} dB" for noise, ratio, row in rows if row["ours"] >= row[peer]]
        print(f"\nours is below {peer} in {len(rows) - len(above)} of {len(rows)} cells", *above, sep="; ")
    for name in detectors:
        seconds = [row[f"{name}_s"] for _, _, row in rows]
        print(f"{name}: {1000 * np.mean(seconds):.0f} ms of one core per mixture")


if __name__ == "__main__":
    main()
