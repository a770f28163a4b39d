"""Weights of the packaged model, to begin training with; int8, so a little off those that were trained.

python reopen.py MODEL --output START
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from uniasr.checkpoints.graph_weights import read_graph_state
from uniasr.graph_files import graph_files


def main() -> None:
    """Write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.save(read_graph_state(graph_files(options.model)), options.output)


if __name__ == "__main__":
    main()
