"""Train on what prepare.py has stored, and tell the errors of thresholds; run it again to go on after a stop.

python train.py --work WORK --validation VALIDATION --run RUN --epochs 20
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import model
import numpy as np
import torch
from torch import Tensor

from uniasr.features.fbank import Fbank
from uniasr.networks.fsmn_vad import FsmnVadNetwork

BATCH = 16
"""Items of a batch."""
WARM_UP = 200
LONGEST_CUT = 100
"""Rows that an item may lose at its start, so that recordings begin anywhere."""


def rows_of(frames: Tensor) -> Tensor:
    """Frames [U, T, M] with their neighbours side by side, as the front end does: [U, T, lfr_m * M]."""
    side = (model.FRONTEND.lfr_m - 1) // 2
    padded = torch.cat([frames[:, :1]] * side + [frames] + [frames[:, -1:]] * side, dim=1)
    return padded.unfold(1, model.FRONTEND.lfr_m, 1).transpose(2, 3).flatten(2)


class Store:
    """The items of one or more prepared folders, one after another."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._frames = [np.load(folder / "frames.npy", mmap_mode="r") for folder in folders]
        self._labels = np.concatenate([np.load(folder / "labels.npy") for folder in folders])
        self._places = [(part, item) for part, frames in enumerate(self._frames) for item in range(len(frames))]
        self.without_speech = np.flatnonzero(~self._labels.any(axis=1))

    def __len__(self) -> int:
        return len(self._places)

    def take(self, items: Iterable[int]) -> tuple[Tensor, Tensor]:
        """Frames [U, T, M] and labels [U, 2 T]."""
        items = list(items)
        frames = [self._frames[part][item] for part, item in (self._places[i] for i in items)]
        return torch.from_numpy(np.stack(frames).astype(np.float32)), torch.from_numpy(self._labels[items])


def normalisation(store: Store, run: Path) -> tuple[Tensor, Tensor]:
    """Shift and scale [lfr_m * M] from a part of the training set; measured once."""
    path = run / "cmvn.npy"
    if not path.exists():
        part = store.take(range(0, len(store), 20))[0].numpy()
        shift, scale = -part.mean(axis=(0, 1)), 1 / part.std(axis=(0, 1))
        np.save(path, np.stack([np.tile(shift, model.FRONTEND.lfr_m), np.tile(scale, model.FRONTEND.lfr_m)]))
    shift, scale = np.load(path).astype(np.float32)
    return torch.from_numpy(shift), torch.from_numpy(scale)


def augmented(frames: Tensor, noise: Tensor, random: np.random.Generator) -> Tensor:
    """More noise below what is there (energies add up), another level, and at times a tilt or a missing band."""
    count, _, bands = frames.shape
    frames = frames.clone()
    for item in range(count):
        if random.random() < 0.3:
            gain = float(frames[item].mean() - noise[item].mean() + random.uniform(-5, 0))
            frames[item] = torch.logaddexp(frames[item], noise[item] + gain)
        frames[item] += random.uniform(-2, 2)
        if random.random() < 0.5:
            frames[item] += torch.linspace(-1, 1, bands) * random.uniform(-2, 2)
        if random.random() < 0.2:
            low = int(random.integers(bands - 6))
            frames[item, :, low : low + int(random.integers(2, 7))] = frames[item].mean()
    return frames


class Validation:
    """Mixtures of mixtures.py that choices are made by."""

    def __init__(self, folder: Path) -> None:
        bank = Fbank(model.FRONTEND)
        self.cells = []
        for path in sorted(folder.glob("*.npz")):
            mixture = np.load(path)
            frames = torch.from_numpy(bank.frames((mixture["samples"] / np.float32(32768)).astype(np.float32)))
            self.cells.append((rows_of(frames[None]), mixture["speech"][: 2 * len(frames)]))

    def error(self, network: FsmnVadNetwork, cmvn: tuple[Tensor, Tensor], threshold: float = 0.5) -> float:
        """Mean over the mixtures of the mean of missed speech and false alarms, per 10 ms."""
        network.eval()
        errors = []
        with torch.no_grad():
            for rows, speech in self.cells:
                scores = network.logits((rows + cmvn[0]) * cmvn[1]).softmax(dim=-1)[0, :, model.SPEECH]
                found = (scores.numpy() >= threshold).repeat(2)[: len(speech)]
                errors.append(0.5 * np.mean(~found[speech]) + 0.5 * np.mean(found[~speech]))
        network.train()
        return float(np.mean(errors))


class Training:
    """The network, its optimiser, and how far they have come; RUN/state.pt holds all of it."""

    def __init__(self, work: Sequence[Path], run: Path, lr: float) -> None:
        self.run, self.lr, self.store = run, lr, Store(work)
        self.cmvn = normalisation(self.store, run)
        self.steps_per_epoch = len(self.store) // BATCH
        self.network = FsmnVadNetwork(model.config().encoder)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=lr, weight_decay=0.01)
        self.step = 0
        if (run / "state.pt").exists():
            state = torch.load(run / "state.pt", weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]

    def take(self, total: int) -> float:
        """One step on one batch; the order and the augmentation depend on the number of the step only."""
        epoch, place = divmod(self.step, self.steps_per_epoch)
        random = np.random.default_rng([1, self.step])
        order = np.random.default_rng(epoch).permutation(len(self.store))
        frames, labels = self.store.take(order[place * BATCH :][:BATCH])
        noise, _ = self.store.take(random.choice(self.store.without_speech, len(frames)))
        cut = int(random.integers(LONGEST_CUT)) if random.random() < 0.5 else 0
        rows = rows_of(augmented(frames, noise, random)[:, cut:])
        target = labels[:, 2 * cut :].long()
        cosine = 0.5 * (1 + math.cos(math.pi * self.step / total))
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr * min(1, (self.step + 1) / WARM_UP) * (0.02 + 0.98 * cosine)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network.logits((rows + self.cmvn[0]) * self.cmvn[1]).float().repeat_interleave(2, dim=1)
        # Speech and pauses count the same, however much of each there is.
        speech = float(target.float().mean())
        weight = torch.tensor([0.5 / max(1 - speech, 0.1), 0.5 / max(speech, 0.1)])
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), weight=weight)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Write RUN/state.pt, whole or not at all."""
        state = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step}
        torch.save(state, self.run / "state.new")
        (self.run / "state.new").replace(self.run / "state.pt")


def main() -> None:
    """Train; RUN/log.jsonl holds the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, nargs="+", required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=20)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.run.mkdir(parents=True, exist_ok=True)
    training, validation = Training(options.work, options.run, options.lr), Validation(options.validation)
    total = int(options.epochs * training.steps_per_epoch)
    started, losses = time.process_time(), []
    while training.step < total:
        losses.append(training.take(total))
        if training.step % 250 == 0 or training.step == total:
            error = validation.error(training.network, training.cmvn)
            line = {"step": training.step, "of": total, "loss": float(np.mean(losses)), "frame_error": error}
            line["core_s"] = time.process_time() - started
            with (options.run / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
            losses.clear()
            training.save()
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        print(f"threshold {threshold}: {validation.error(training.network, training.cmvn, threshold):.2%}")


if __name__ == "__main__":
    main()
