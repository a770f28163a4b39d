"""Write the onnxruntime directory of a trained detector.

python package.py --run RUN --output DIR
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import model
import numpy as np
import torch

from uniasr.checkpoints.fsmn_vad import read_fsmn_vad, write_fsmn_vad
from uniasr.export.directory import export_fsmn_vad
from uniasr.features.cmvn import Cmvn

ABOUT = {"licence": "CC BY-SA 4.0"}
CARD = Path(__file__).parent / "card" / "README.md"


def main() -> None:
    """Write the directory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    state = torch.load(options.run / "state.pt", weights_only=True)["network"]
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "weights"
        cmvn = Cmvn(*np.load(options.run / "cmvn.npy"))
        write_fsmn_vad(weights, model.config(), cmvn, state=state, card=ABOUT)
        export_fsmn_vad(read_fsmn_vad(weights), options.output, extra=[CARD])
    size = sum(file.stat().st_size for file in options.output.iterdir())
    print(f"{options.output}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
