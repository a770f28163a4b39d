"""Speed of training at the published size: audio per second, and what a step spends its time on.

    python benchmarks/training.py --work DIR [--reference PYTHON] [--steps 3] [--batch 8] [--seconds 6] [--device cuda]

Features are computed from audio while training (fbank, LFR, CMVN). `--reference` runs the training step of FunASR on
the same batches and weights in the same call, with the Python of an environment with funasr 1.4.16; its features are
handed over ready-made. The latencies take turns, and dropout is 0, so that both print the same losses, up to the
reference's handling of the last token and of the ends of shorter utterances (docs/families/uniasr.md); with
`--dropout` it is the published 0.1, as in a real training.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from template import RATE, VOCAB, speech_like, write_template

TOKENS_PER_S = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, required="--job" not in sys.argv, help="folder for the model and the batches"
    )
    parser.add_argument("--reference", metavar="PYTHON")
    parser.add_argument("--steps", type=int, default=3, help="measured, after one that is not")
    parser.add_argument("--batch", type=int, default=8, help="utterances")
    parser.add_argument("--seconds", type=float, default=6.0, help="mean length of an utterance")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dropout", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        job = json.loads(options.job)
        measure = reference if job["engine"] == "reference" else ours
        print(json.dumps(measure(job)))
        return
    model = write_template(options.work / "template")
    job = {
        name: getattr(options, name)
        for name in ("steps", "batch", "seconds", "threads", "device", "precision", "dropout")
    }
    job |= {"model": str(model), "batches": str(options.work / "batches"), "engine": "uniasr"}
    own = run(job, sys.executable)
    show("uniasr", own)
    if options.reference:
        theirs = run(job | {"engine": "reference"}, options.reference)
        show("reference", theirs)
        faster = theirs["step_s"] / (own["step_s"] - own["data_s"])
        print(f"forward, backward and update: {faster:.1f} times faster than the reference")


def run(job: dict[str, object], python: str) -> dict[str, float]:
    """The job's figures, from a process of its own."""
    done = subprocess.run(
        [python, __file__, "--job", json.dumps(job)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return json.loads(done.stdout.splitlines()[-1])


def show(name: str, found: dict[str, float]) -> None:
    shares = ", ".join(f"{part} {found[f'{part}_s'] / found['step_s']:.0%}" for part in PARTS)
    print(
        f"{name}: {found['audio_s'] / found['step_s']:.2f} s of audio per second, {found['step_s']:.2f} s per step "
        f"({shares}), peak {found['peak_mib']:.0f} MiB, losses {found['losses']}"
    )


PARTS = ("data", "forward", "backward", "update")


class Clock:
    """Seconds spent on each part of the steps."""

    def __init__(self, device: str) -> None:
        self.device, self.spent = device, dict.fromkeys(PARTS, 0.0)
        self.start()

    def start(self) -> None:
        """Begin a part."""
        self.last = self._now()

    def lap(self, part: str) -> None:
        """End a part and begin the next one."""
        now = self._now()
        self.spent[part] += now - self.last
        self.last = now

    def _now(self) -> float:
        if self.device != "cpu":
            import torch

            torch.cuda.synchronize()
        return time.perf_counter()

    def figures(self, steps: int, audio_s: float, losses: list[float]) -> dict[str, object]:
        """What is printed, per step."""
        seconds = {f"{part}_s": value / steps for part, value in self.spent.items()}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if self.device != "cpu":
            import torch

            peak = torch.cuda.max_memory_allocated() / 2**20
        total = sum(seconds.values())
        return seconds | {"step_s": total, "audio_s": audio_s / steps, "peak_mib": peak, "losses": losses}


class SpokenRows:
    """Feature rows of made-up speech, computed whenever they are asked for."""

    def __init__(self, config: object, seconds: list[float]) -> None:
        from uniasr.features.frontend import FrontEnd

        self.front_end, audio = FrontEnd(config), speech_like(max(seconds))
        self.audio = [audio[: int(each * RATE)] for each in seconds]

    def rows(self, utterance: object) -> np.ndarray:
        """Rows [T, F] before CMVN."""
        return self.front_end.step(self.front_end.start(), self.audio[utterance.start], True)[1]


def made_up(job: dict[str, object], files: object) -> object:
    """Batches of utterances of half to one and a half times the mean length."""
    from uniasr.training.batches import Batches, BatchOptions, Source
    from uniasr.training.store import Utterance

    random = np.random.default_rng(2)
    seconds = list(job["seconds"] * random.uniform(0.5, 1.5, job["batch"] * (job["steps"] + 1)))
    spoken = SpokenRows(files.config.frontend, seconds)
    sources = [
        Source(
            spoken,
            Utterance(f"u{i}", i, int(each * 1000 / 60), ""),
            random.integers(3, VOCAB - 1, max(1, int(each * TOKENS_PER_S))),
        )
        for i, each in enumerate(seconds)
    ]
    # Room for `batch` utterances of the mean length; a sorted run is one batch, so that lengths are mixed as drawn.
    rows = int(job["batch"] * job["seconds"] * 1000 / 60 * 1.6)
    return Batches(sources, files.cmvn, BatchOptions(batch_rows=rows, join_share=0.0, bucket=1), workers=0)


def ours(job: dict[str, object]) -> dict[str, object]:
    """Training steps of this package; leaves the batches in files."""
    import torch

    from uniasr.checkpoints import read_model
    from uniasr.checkpoints.network import load_network
    from uniasr.training.objective import ObjectiveOptions, TensorBatch, joint_loss

    torch.set_num_threads(job["threads"])
    files = read_model(Path(job["model"]))
    device, dtype = job["device"], getattr(torch, job["precision"])
    network = load_network(files).train().to(device)
    if not job["dropout"]:
        without_dropout(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    scaler = torch.amp.GradScaler(device, enabled=job["precision"] == "float16")
    batches, clock, losses, audio = made_up(job, files).epoch(0), Clock(device), [], 0
    folder = Path(job["batches"])
    folder.mkdir(exist_ok=True)
    for step in range(job["steps"] + 1):
        clock.start()
        batch = next(batches)
        arrays = (batch.rows, batch.row_counts, batch.tokens, batch.token_counts)
        tensors = [torch.from_numpy(array) for array in arrays]
        tensors = TensorBatch(*(t if i == 1 else t.to(device) for i, t in enumerate(tensors)))
        clock.lap("data")
        with torch.autocast(device, dtype, enabled=job["precision"] != "float32"):
            loss = joint_loss(network, tensors, step % 2, ObjectiveOptions(end_fires=1.0)).total
        clock.lap("forward")
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        clock.lap("backward")
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        scaler.step(optimizer)
        scaler.update()
        clock.lap("update")
        np.savez(folder / f"{step}.npz", *arrays)
        losses.append(round(float(loss.detach()), 4))
        audio += int(batch.row_counts.sum()) * 0.06
        if step == 0:
            clock, audio = Clock(device), 0
    return clock.figures(job["steps"], audio, losses)


def reference(job: dict[str, object]) -> dict[str, object]:
    """Training steps of FunASR on the batches that `ours` left."""
    import torch
    from funasr import AutoModel

    torch.set_num_threads(job["threads"])
    device, dtype = job["device"], getattr(torch, job["precision"])
    loaded = AutoModel(model=job["model"], device=device, disable_update=True, disable_pbar=True, log_level="ERROR")
    network = loaded.model.train()
    if not job["dropout"]:
        without_dropout(network)
    network.predictor2_weight = 1.0  # it does not know the published spelling
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    clock, losses, audio = Clock(device), [], 0
    for step in range(job["steps"] + 1):
        arrays = [torch.from_numpy(array).to(device) for array in np.load(f"{job['batches']}/{step}.npz").values()]
        rows, counts, tokens, token_counts = arrays
        network.encoder.overlap_chunk_cls.random_choice = lambda *_, latency=step % 2: latency
        clock.start()
        with torch.autocast(device, dtype, enabled=job["precision"] != "float32"):
            loss, _, _ = network(rows, counts, tokens, token_counts)
        clock.lap("forward")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clock.lap("backward")
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        clock.lap("update")
        losses.append(round(float(loss.detach()), 4))
        audio += int(counts.sum()) * 0.06
        if step == 0:
            clock, audio = Clock(device), 0
    return clock.figures(job["steps"], audio, losses)


def without_dropout(network: object) -> None:
    for module in network.modules():
        if type(module).__name__ == "Dropout":  # ours or PyTorch's
            module.rate = module.p = 0.0


if __name__ == "__main__":
    main()
