"""Fine-tuning: a model directory of any layout and a folder of recordings become a new model directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from uniasr.checkpoints import ModelFiles, read_model
from uniasr.checkpoints.network import load_network
from uniasr.hub import resolve
from uniasr.training.data.labels import BPE_FILE
from uniasr.training.data.prepare import DataOptions, prepare
from uniasr.training.extend import with_tokens
from uniasr.training.fitting import RUN, Extras, RunOptions, first_alone, fit
from uniasr.training.processes import joined
from uniasr.training.result import check_export, check_place

HEADS_WEIGHT = 0.3
"""Share of the CTC loss for a model whose heads serve at run time."""


def finetune(
    model: str | Path | None,
    data: Sequence[str | Path],
    output: str | Path,
    run: RunOptions | None = None,
    reading: DataOptions | None = None,
    *,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Fine-tune a model; call it again with the same arguments to go on after a stop.

    Args:
        model: a model directory (published, exported, our own) or a name that `uniasr models` lists.
        data: folders; what they may hold is said in `uniasr.training.data.prepare`.
        output: where the result is written, and in `run` inside it what a resumed run needs.
        run: how to learn.
        reading: how to read the data.
        device: cpu or cuda; under `torchrun` each process takes its own GPU.
        tell: gets a line of text now and then, in the first process.

    Returns:
        `output`, which `load_model` loads.

    Raises DataError listing everything that is wrong with the data, before anything is trained; ModelError and
    OptionError for what else the caller can correct.
    """
    run, reading, output = run or RunOptions(), reading or DataOptions(), Path(output)
    check_export()
    files = read_model(resolve(model))
    check_place(output, output / RUN, files.directory.name)
    with joined(device) as processes:
        say = tell if processes.is_first else lambda line: None
        bpe = next(files.directory.glob(BPE_FILE), None)
        places = [Path(place) for place in data]
        prepared = first_alone(
            processes,
            lambda first: prepare(places, files.tokens, files.config, reading, output / RUN, bpe, first=first),
        )
        for note in prepared.notes:
            say(note)
        hours = prepared.num_rows * files.config.frontend.row_ms / 3_600_000
        new = len(prepared.vocabulary) - len(files.tokens)
        say(f"{hours:.2f} h of audio" + (f", {new} new tokens" if new else ""))
        if prepared.dev is None:
            say("no development set (dev or validation): the newest snapshots are averaged, not the best")
        torch.manual_seed(run.seed)
        files, run = _with_heads(files, run)
        network = load_network(files, ctc=bool(run.ctc_weight))
        if new:
            network = with_tokens(network, len(prepared.vocabulary), seed=run.seed)
        card = {name: value for name, value in files.card.items() if name != "released"}
        card["fine_tuned_from"] = files.directory.name
        extras = Extras(files.directory.name, card, () if bpe is None else (bpe,))
        return fit(network, prepared, files.cmvn, output, run, processes, extras, tell=say)


def _with_heads(files: ModelFiles, run: RunOptions) -> tuple[ModelFiles, RunOptions]:
    """CTC heads that serve at run time must follow the encoder: they are trained, or serve no longer in the result."""
    if not files.config.ctc_heads:
        return files, run
    if run.ctc_weight is None:
        return files, replace(run, ctc_weight=HEADS_WEIGHT)
    if run.ctc_weight:
        return files, run
    return replace(files, config=replace(files.config, ctc_heads=False, ctc_rescoring=0.0, doubt=None)), run
