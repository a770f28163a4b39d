"""Train on a prepared store; run it again to go on after a stop.

python train.py --work WORK --run RUN --steps 6000 --decay-steps 2000
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import model
import numpy as np
import torch
from prepare import cmvn_of

from uniasr.features.cmvn import Cmvn
from uniasr.networks.uniasr import UniasrNetwork
from uniasr.text.units import cut, mora_tokens, token_index
from uniasr.training.augment import ChannelConfig
from uniasr.training.batches import Batches, BatchOptions, Source
from uniasr.training.loop import Trainer
from uniasr.training.objective import ObjectiveOptions
from uniasr.training.options import TrainOptions
from uniasr.training.store import FeatureStore


def vocabulary(run: Path, store: FeatureStore) -> tuple[str, ...]:
    """The run's tokens; made from the training texts the first time."""
    path = run / "tokens.txt"
    if not path.exists():
        tokens = mora_tokens(utterance.text for utterance in store.utterances)
        path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return tuple(path.read_text(encoding="utf-8").split("\n")[:-1])


def normalisation(run: Path, store: FeatureStore) -> Cmvn:
    """The run's CMVN; measured on the store the first time."""
    path = run / "cmvn.npy"
    if not path.exists():
        measured = cmvn_of(store)
        np.save(path, np.stack([measured.shift, measured.scale]))
    return Cmvn(*np.load(path))


def sources(store: FeatureStore, tokens: tuple[str, ...]) -> list[Source]:
    """The utterances that can be written with the vocabulary and are neither too long nor too short for their text."""
    ids = token_index(tokens)
    longest = max(map(len, ids))
    found = []
    for utterance in store.utterances:
        labels = cut(utterance.text, ids, longest)
        if labels and len(labels) < 0.95 * utterance.num_rows and utterance.num_rows <= 330:
            found.append(Source(store, utterance, np.array(labels, dtype=np.int64)))
    return found


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, nargs="+", required=True, help="one or more, the first one counts for CMVN"
    )
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--decay-steps", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--ctc-weight", type=float, default=0.3)
    parser.add_argument("--batch-rows", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--vary-channel", action="store_true", help="other microphones and vocal tracts on the features"
    )
    parser.add_argument("--init", type=Path, help="weights of an earlier run to start from")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    stores = [FeatureStore(work / "train") for work in options.work]
    tokens, cmvn = vocabulary(options.run, stores[0]), normalisation(options.run, stores[0])
    torch.manual_seed(1)
    network = UniasrNetwork(model.config(len(tokens)), ctc=True)
    if options.init is not None:
        network.load_state_dict(torch.load(options.init, weights_only=True))
    trainer = Trainer(
        network,
        options.run,
        TrainOptions(
            steps=options.steps,
            decay_steps=options.decay_steps,
            lr=options.lr,
            objective=ObjectiveOptions(ctc_weight=options.ctc_weight),
            precision="bfloat16",
            channel=ChannelConfig() if options.vary_channel else None,
        ),
    )
    resumed = trainer.resume()
    found = [source for store in stores for source in sources(store, tokens)]
    hours = sum(source.utterance.num_rows for source in found) * 0.06 / 3600
    about = {"resumed": resumed, "step": trainer.step, "utterances": len(found), "hours": round(hours, 2)}
    print(json.dumps(about), flush=True)
    trainer.run(Batches(found, cmvn, BatchOptions(batch_rows=options.batch_rows)))


if __name__ == "__main__":
    main()
