"""`uniasr train`: a model from nothing but data."""

from __future__ import annotations

import click

from uniasr.cli.training import need_torch, put, say, use_threads


@click.command()
@click.argument("config", metavar="CONFIG.yaml")
@click.option("--device", default="cpu", show_default=True, metavar="cpu|cuda", help="Where to train.")
@click.option("--threads", type=int, metavar="N", help="Threads of PyTorch.  [default: its own choice]")
def train(config: str, device: str, threads: int | None) -> None:
    """Train a model from scratch.

    CONFIG.yaml names data, output, tokens and the shape of the network; docs/training.md shows one. Stop it at any
    time; the same command goes on where it was.
    """
    need_torch()
    from uniasr.training.scratch import train as run_train

    use_threads(threads)
    put(f"{run_train(config, device=device, tell=say)}\n")
