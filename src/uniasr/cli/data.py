"""`uniasr data`: checking data, and preparing it once instead of in every epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uniasr.cli.training import augment_options, data_options, need_torch, put, say

if TYPE_CHECKING:
    from uniasr.checkpoints import ModelFiles
    from uniasr.training.data.manifest import Entry


@click.group()
def data() -> None:
    """Check and prepare recordings for training."""


@data.command()
@data_options
@click.option("--model", metavar="MODEL", help="Model whose tokens the transcripts must be written with.")
def check(data: tuple[str, ...], model: str | None, max_seconds: float, skip_bad: bool) -> None:
    """List everything that is wrong with recordings and transcripts.

    With --model also characters that the model has no token for, and how often each occurs.
    """
    need_torch()
    sets = _usable(data, max_seconds, skip_bad)
    for name, usable in sets.items():
        hours = sum(seconds for _, seconds in usable) / 3600
        put(f"{name}: {len(usable)} utterances, {hours:.2f} h\n")
    if model is not None:
        _check_characters(_files(model), sets)


def _check_characters(files: ModelFiles, sets: dict[str, list[tuple[Entry, float]]]) -> None:
    from uniasr.training.data.check import Report
    from uniasr.training.data.labelling import Labeller, labelled
    from uniasr.training.data.labels import BPE_FILE, Cutter

    report = Report()
    cutter = Cutter(files.tokens, next(files.directory.glob(BPE_FILE), None))
    labeller = Labeller(cutter, None, files.config, report)
    for usable in sets.values():
        labelled(usable, labeller)
    labeller.finish()
    report.settle(skip_bad=False)
    put("every transcript can be written with the model's tokens\n")


@data.command()
@data_options
@augment_options
@click.option(
    "--model", metavar="MODEL", help="Model whose front end makes the features.  [default: that of `uniasr train`]"
)
@click.option("--output", required=True, metavar="DIR", help="Folder to write: a store for each set.")
@click.option(
    "--copies",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Spoiled copies of each training recording.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that work on it.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N", help="Of spoiling.")
def features(data: tuple[str, ...], model: str | None, output: str, copies: int, jobs: int, **options: Any) -> None:
    """Compute feature rows once; `--data` of `uniasr finetune` and `data` of `uniasr train` may name the folder.

    The rows are those that training computes on the way. The development set is never spoiled.
    """
    need_torch()
    from uniasr.cli.progress import counted
    from uniasr.training.data.features import USUAL_FRONTEND, extract
    from uniasr.training.data.waveform import Spoiler, preset

    frontend = USUAL_FRONTEND if model is None else _files(model).config.frontend
    config = preset(options["augment"], options["noise_dir"], options["room_dir"])
    spoiler = None if config is None else Spoiler(config, frontend.sample_rate_hz, options["seed"])
    sets = _usable(data, options["max_seconds"], options["skip_bad"])
    for name, usable in sets.items():
        ours = (spoiler, copies) if name == "train" else (None, 1)
        with counted(len(usable) * ours[1], f"features of {name}") as bar:
            how: dict[str, Any] = {"spoiler": ours[0], "copies": ours[1], "jobs": jobs, "tell": bar.done}
            rows = extract(usable, Path(output) / name, frontend, **how)
        put(f"{Path(output) / name}: {len(usable) * ours[1]} utterances, {rows * frontend.row_ms / 3.6e6:.2f} h\n")


@data.command()
@data_options
@click.option("--output", required=True, metavar="DIR", help="Folder to write: shards for each set.")
@click.option(
    "--per-shard",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Utterances in one tar file.",
)
@click.option("--link", is_flag=True, help="Write lists only and leave the recordings where they are.")
def pack(data: tuple[str, ...], output: str, per_shard: int, link: bool, max_seconds: float, skip_bad: bool) -> None:
    """Pack recordings into tar files with indexes; `--data` of `uniasr finetune` may name the folder.

    Training then needs the memory of a few shards, however many there are.
    """
    need_torch()
    from uniasr.training.data.shards import pack as pack_shards

    for name, usable in _usable(data, max_seconds, skip_bad).items():
        count = pack_shards(usable, Path(output) / name, per_shard=per_shard, link=link)
        put(f"{Path(output) / name}: {len(usable)} utterances in {count} shards\n")


def _usable(data: tuple[str, ...], max_seconds: float, skip_bad: bool) -> dict[str, list[tuple[Entry, float]]]:
    from uniasr.training.data.check import Limits
    from uniasr.training.data.prepare import usable_sets

    sets, notes = usable_sets([Path(place) for place in data], Limits(max_s=max_seconds), skip_bad=skip_bad)
    for note in notes:
        say(note)
    return sets


def _files(model: str) -> ModelFiles:
    from uniasr.checkpoints import read_model
    from uniasr.hub import resolve

    return read_model(resolve(model))
