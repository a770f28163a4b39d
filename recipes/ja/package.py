"""Average the last snapshots of a run, or mix those of several, and write the onnxruntime directory of the model.

python package.py --part RUN 5 1 [--part ...] --output DIR
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import mix
import model
import numpy as np

from uniasr.checkpoints import read_model, write_native
from uniasr.export.directory import export_model
from uniasr.features.cmvn import Cmvn
from uniasr.text.vocabulary import read_tokens

ABOUT = {
    "language": "ja",
    "licence": "CC BY-SA 4.0",
    "released": True,
    "output": "written",
    "parts": {"vad": "vad", "punctuation": "ja-punctuation", "converter": "ja-written", "lm": "ja-ngram"},
}
CARD = Path(__file__).parent / "card" / "README.md"


def main() -> None:
    """Write the directory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mix.add_parts(parser)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    parts = mix.parts_of(options)
    state = mix.mixed(parts)
    run = parts[0][0]  # all go on from one another, with the same tokens and CMVN
    tokens = read_tokens(run / "tokens.txt")
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights"
        cmvn = Cmvn(*np.load(run / "cmvn.npy"))
        write_native(weights, model.config(len(tokens)), tokens, cmvn, state=state, card=ABOUT)
        export_model(read_model(weights), options.output, weights="packed", extra=[CARD])
    size = sum(file.stat().st_size for file in options.output.iterdir())
    print(f"{options.output}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
