"""Mix the weights of runs that went on from one another, for `train.py --init`; package.py mixes in the same way.

    python mix.py --part RUN LAST SHARE [--part ...] --output FILE

The last snapshots of each run are averaged, and these means added by their shares, which make 1. A run on harder speech
gains there and loses elsewhere; between its weights and those that it began with lie better ones than both.
Source: Wortsman and others 2022, Robust fine-tuning of zero-shot models, arXiv 2109.01903.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from math import isclose
from pathlib import Path

import torch

from uniasr.training.snapshots import average

Part = tuple[Path, int, float]
"""A run, how many of its last snapshots, and their share."""


def mixed(parts: Sequence[Part]) -> dict[str, torch.Tensor]:
    """The weights, CTC heads included where all runs have them."""
    if not isclose(sum(share for _, _, share in parts), 1.0):
        raise SystemExit("the shares must make 1")
    means = [(average(sorted(run.glob("weights-*.pt"))[-last:]), share) for run, last, share in parts]
    names = set.intersection(*(set(mean) for mean, _ in means))
    return {name: torch.stack([mean[name] * share for mean, share in means]).sum(0) for name in sorted(names)}


def add_parts(parser: argparse.ArgumentParser) -> None:
    """The option `--part`."""
    parser.add_argument("--part", nargs=3, metavar=("RUN", "LAST", "SHARE"), action="append", required=True)


def parts_of(options: argparse.Namespace) -> list[Part]:
    """What the option says."""
    return [(Path(run), int(last), float(share)) for run, last, share in options.part]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_parts(parser)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.save(mixed(parts_of(options)), options.output)


if __name__ == "__main__":
    main()
