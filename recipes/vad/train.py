"""Train on what prepare.py has stored; run it again to go on after a stop.

python train.py --work WORK WORK2 --run RUN --epochs 4
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

from uniasr.networks.fsmn_vad import FsmnVadNetwork

BATCH, HELD_OUT = 8, 64
"""Items of a batch; items that measure the frame error and are not trained on."""
WARM_UP = 100


def rows_of(frames: Tensor) -> Tensor:
    """Frames [U, T, 80] with their neighbours side by side, two on each side: [U, T, 400]."""
    padded = torch.cat([frames[:, :1], frames[:, :1], frames, frames[:, -1:], frames[:, -1:]], dim=1)
    return padded.unfold(1, 5, 1).transpose(2, 3).flatten(2)


class Store:
    """The items of one or more prepared folders, one after another."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._frames = [np.load(folder / "frames.npy", mmap_mode="r") for folder in folders]
        self._labels = np.concatenate([np.load(folder / "labels.npy") for folder in folders])
        self._places = [(part, item) for part, frames in enumerate(self._frames) for item in range(len(frames))]

    def __len__(self) -> int:
        return len(self._places)

    def take(self, items: Iterable[int]) -> tuple[Tensor, Tensor]:
        """Frames [U, T, 80] and labels [U, T]."""
        items = list(items)
        frames = [self._frames[part][item] for part, item in (self._places[i] for i in items)]
        return torch.from_numpy(np.stack(frames).astype(np.float32)), torch.from_numpy(self._labels[items])


def normalisation(store: Store, run: Path) -> tuple[Tensor, Tensor]:
    """Shift and scale [400] from a part of the training set; measured once."""
    path = run / "cmvn.npy"
    if not path.exists():
        part = store.take(range(0, len(store), 8))[0].numpy()
        shift, scale = -part.mean(axis=(0, 1)), 1 / part.std(axis=(0, 1))
        np.save(path, np.stack([np.tile(shift, 5), np.tile(scale, 5)]).astype(np.float32))
    shift, scale = np.load(path)
    return torch.from_numpy(shift), torch.from_numpy(scale)


def augmented(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Another level (the filter bank is logarithmic) and, at times, a tilt or a missing band."""
    count = len(frames)
    gain = (torch.rand(count, 1, 1, generator=generator) - 0.5) * 4
    tilt = (torch.rand(count, 1, 1, generator=generator) - 0.5) * torch.linspace(-1, 1, 80) * 3
    frames = frames + gain + tilt
    for item in range(count):
        if torch.rand(1, generator=generator) < 0.3:
            low = int(torch.randint(70, (1,), generator=generator))
            width = int(torch.randint(3, 12, (1,), generator=generator))
            frames[item, :, low : low + width] = frames[item].mean()
    return frames


def frame_error(network: FsmnVadNetwork, frames: Tensor, labels: Tensor, cmvn: tuple[Tensor, Tensor]) -> float:
    """Mean of missed speech and false alarms at a probability of 0.5."""
    network.eval()
    with torch.no_grad():
        found = network.logits((rows_of(frames) + cmvn[0]) * cmvn[1]).argmax(dim=-1) == model.SPEECH
    network.train()
    miss = (~found & labels).sum() / labels.sum()
    false = (found & ~labels).sum() / (~labels).sum()
    return float(miss + false) / 2


class Training:
    """The network, its optimiser, and how far they have come; RUN/state.pt holds all of it."""

    def __init__(self, work: Sequence[Path], run: Path, lr: float) -> None:
        self.run, self.lr, self.store = run, lr, Store(work)
        self.cmvn = normalisation(self.store, run)
        self.items = np.random.default_rng(0).permutation(len(self.store))
        self.steps_per_epoch = (len(self.items) - HELD_OUT) // BATCH
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
        order = np.random.default_rng(epoch).permutation(self.items[HELD_OUT:])
        frames, labels = self.store.take(order[place * BATCH :][:BATCH])
        rows = rows_of(augmented(frames, torch.Generator().manual_seed(self.step)))
        target = labels.long()
        cosine = 0.5 * (1 + math.cos(math.pi * self.step / total))
        for group in self.optimiser.param_groups:
            group["lr"] = self.lr * min(1, (self.step + 1) / WARM_UP) * (0.02 + 0.98 * cosine)
        logits = self.network.logits((rows + self.cmvn[0]) * self.cmvn[1])
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

    def error(self) -> float:
        """Frame error on the items that are not trained on."""
        return frame_error(self.network, *self.store.take(self.items[:HELD_OUT]), self.cmvn)

    def save(self) -> None:
        """Write RUN/state.pt, whole or not at all."""
        state = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(), "step": self.step}
        torch.save(state, self.run / "state.new")
        (self.run / "state.new").replace(self.run / "state.pt")


def main() -> None:
    """Train; RUN/log.jsonl holds the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, nargs="+", required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=4)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.run.mkdir(parents=True, exist_ok=True)
    training = Training(options.work, options.run, options.lr)
    total = int(options.epochs * training.steps_per_epoch)
    started, losses = time.process_time(), []
    while training.step < total:
        losses.append(training.take(total))
        if training.step % 100 == 0 or training.step == total:
            line = {"step": training.step, "of": total, "loss": float(np.mean(losses)), "frame_error": training.error()}
            line["core_s"] = time.process_time() - started
            with (options.run / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
            losses.clear()
            training.save()


if __name__ == "__main__":
    main()
