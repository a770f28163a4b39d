"""Average the last snapshots of a run, calibrate, and write the onnxruntime directory of the model.

python package.py --work WORK --run RUN --last 4 --output DIR
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import model
import numpy as np
import torch
from corpus import COMMA, QUESTION, STOP
from paragraphs import LABEL, Corpus, padded, plain, with_ends
from train import load, logits_of

from uniasr.checkpoints.ct_transformer import read_punctuation, write_punctuation
from uniasr.export.directory import export_punctuation
from uniasr.networks.ct_transformer import CtTransformerNetwork
from uniasr.text.words import read_words
from uniasr.training.snapshots import average

ABOUT = {"language": "ja", "licence": "CC BY 4.0", "released": True}
CARD = Path(__file__).parent / "card" / "README.md"
SEED = 7
OFFSETS = np.arange(-20, 21) / 10
"""Added to the score of a mark, tried on held-back sentences."""
NEAR = 0.01
"""Offsets whose F1 is this near to the best are as good by chance: the middle one of them is kept."""


def f1(labels: np.ndarray, wanted: np.ndarray, mark: int) -> float:
    """F1 of one mark."""
    right = np.sum((labels == mark) & (wanted == mark))
    return 2 * right / max(1, np.sum(labels == mark) + np.sum(wanted == mark))


def held_back(network: CtTransformerNetwork, corpus: Corpus, *, told: bool) -> tuple[np.ndarray, np.ndarray]:
    """Scores [N, marks] and labels [N] of sentences kept out of training, joined to paragraphs.

    The last word of each is left out, since what ends a text is no question; with ends told, all ends are.
    """
    scores, wanted = [], []
    with torch.inference_mode():
        for ids, targets in plain(corpus, np.random.default_rng(SEED)):
            ends = (targets[:, LABEL] >= STOP) & told
            ends[-1] = told
            window = with_ends(ids, targets, ends, network.config.vocab_size)
            asked = window[1][:, LABEL] >= 0
            asked[-1] = False
            scores.append(logits_of(network, padded([window])).numpy()[0][asked])
            wanted.append(window[1][asked, LABEL])
    return np.concatenate(scores), np.concatenate(wanted)


def calibrate(network: CtTransformerNetwork, work: Path) -> dict[int, float]:
    """Offsets for the marks by F1, the mean over corpora and speech in both renderings; commas in the second look.

    Who wrote the speech put next to no question marks, so that the corpora alone choose theirs.
    """
    corpora = load(work, "held")
    chosen_by = dict.fromkeys((COMMA, STOP), slice(None)) | {QUESTION: slice(len(corpora))}
    corpora += load(work, "held-spoken")
    parts = {told: [held_back(network, corpus, told=told) for corpus in corpora] for told in (False, True)}
    offsets = dict.fromkeys((COMMA, STOP, QUESTION), 0.0)
    for mark in (COMMA, STOP, QUESTION, STOP, QUESTION):
        tried = []
        for offset in OFFSETS:
            shift = np.zeros(network.decoder.out_features)
            for other, value in (offsets | {mark: float(offset)}).items():
                shift[other] = value
            if mark == COMMA:
                shift[[STOP, QUESTION]] = -np.inf
            tried.append(
                [
                    f1((logits + shift).argmax(axis=1), truth, mark)
                    for logits, truth in parts[mark == COMMA][chosen_by[mark]]
                ]
            )
        means = np.mean(tried, axis=1)
        best = int(np.median(np.flatnonzero(means >= means.max() - NEAR)))
        offsets[mark] = float(OFFSETS[best])
        alone = ", ".join(
            f"{value:.3f} of {most:.3f}" for value, most in zip(tried[best], np.max(tried, 0), strict=True)
        )
        print(
            f"mark {mark}: offset {offsets[mark]:+.1f}, F1 {alone} (with its own offset; text, kana, speech, its kana)"
        )
    return offsets


def main() -> None:
    """Write the directory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--last", type=int, default=4)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    words = read_words(options.work / "tokens.txt")
    network = CtTransformerNetwork(model.config(len(words))).eval()
    network.load_state_dict(average(sorted(options.run.glob("weights-*.pt"))[-options.last :]))
    for mark, offset in calibrate(network, options.work).items():
        network.decoder.bias.data[mark] += offset
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights"
        write_punctuation(weights, network.config, words, state=network.state_dict(), card=ABOUT)
        export_punctuation(read_punctuation(weights), options.output, weights="packed", extra=[CARD])
    size = sum(file.stat().st_size for file in options.output.iterdir())
    print(f"{options.output}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
