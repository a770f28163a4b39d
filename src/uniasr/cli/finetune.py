"""`uniasr finetune`: a model and recordings become a new model."""

from __future__ import annotations

from typing import Any

import click

from uniasr.cli.training import augment_options, data_options, need_torch, put, say, use_threads

_RUN = (
    *("max_epoch", "max_steps", "lr", "schedule", "decay_steps", "batch_bins", "accumulate", "patience"),
    *("evaluate_every", "average", "freeze_pass1", "ctc_weight", "precision", "shard", "seed", "workers", "weights"),
)


@click.command()
@click.option(
    "--model",
    metavar="MODEL",
    help="A model directory, or a name that `uniasr models` lists.  [default: the packaged Japanese model]",
)
@data_options
@click.option("--output", required=True, metavar="DIR", help="The new model; what resuming needs lies in DIR/run.")
@click.option("--max-epoch", type=int, default=50, show_default=True, metavar="N", help="Epochs to train.")
@click.option(
    "--max-steps", type=int, default=0, show_default=True, metavar="N", help="Updates to make instead; 0: by epochs."
)
@click.option("--lr", type=float, default=5e-5, show_default=True, metavar="X", help="Highest learning rate.")
@click.option(
    "--schedule",
    default="constant",
    show_default=True,
    metavar="constant|inverse_sqrt|cosine",
    help="How the learning rate goes on after the warm-up.",
)
@click.option(
    "--decay-steps",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Last of --max-steps, over which the rate falls linearly.",
)
@click.option(
    "--batch-bins",
    type=int,
    default=16_000,
    show_default=True,
    metavar="N",
    help="Feature rows (60 ms) in a batch at most; a small set makes at least 8 batches.",
)
@click.option(
    "--dataset-type",
    default="small",
    show_default=True,
    metavar="small|large",
    help="large keeps only a part of the list of utterances in memory.",
)
@click.option(
    "--unknown",
    metavar="extend|drop",
    help="Characters without a token: add tokens, or leave their utterances out.  [default: stop and list them]",
)
@augment_options
@click.option("--accumulate", type=int, default=1, show_default=True, metavar="N", help="Batches of one update.")
@click.option(
    "--patience",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Stop after so many evaluations without a better one; 0: never.",
)
@click.option("--evaluate-every", type=int, metavar="STEPS", help="Evaluate and save.  [default: ten times a run]")
@click.option("--average", type=int, default=5, show_default=True, metavar="N", help="Best snapshots to average.")
@click.option(
    "--ctc-weight",
    type=float,
    metavar="X",
    help="Share of a CTC loss beside the cross entropy, 0 to 1.  [default: 0; 0.3 where the model uses its CTC heads]",
)
@click.option("--freeze-pass1", is_flag=True, help="Train the second pass only.")
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    metavar="float32|bfloat16|float16",
    help="Of matrix products; float16 needs a GPU.",
)
@click.option("--shard", is_flag=True, help="Divide a model that does not fit one GPU over the processes (FSDP).")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Decides all random draws.")
@click.option("--workers", type=int, default=1, show_default=True, metavar="N", help="Threads that load data.")
@click.option(
    "--weights",
    default="float32",
    show_default=True,
    metavar="float32|int8|packed",
    help="How the new model's graphs store weights.",
)
@click.option("--device", default="cpu", show_default=True, metavar="cpu|cuda", help="Where to train.")
@click.option("--threads", type=int, metavar="N", help="Threads of PyTorch.  [default: its own choice]")
def finetune(model: str | None, data: tuple[str, ...], output: str, device: str, **options: Any) -> None:
    """Fine-tune a model on recordings with transcripts.

    Stop it at any time; the same command goes on where it was. The data is checked first, and everything that is wrong
    with it is listed. On several GPUs: torchrun --nproc-per-node N -m uniasr finetune ... --device cuda
    """
    need_torch()
    from uniasr.training.data.check import Limits
    from uniasr.training.data.prepare import DataOptions
    from uniasr.training.data.waveform import preset
    from uniasr.training.finetune import finetune as run_finetune
    from uniasr.training.fitting import RunOptions

    use_threads(options["threads"])
    run = RunOptions(**{name: options[name] for name in _RUN})
    reading = DataOptions(
        dataset_type=options["dataset_type"],
        unknown=options["unknown"],
        skip_bad=options["skip_bad"],
        limits=Limits(max_s=options["max_seconds"]),
        spoil=preset(options["augment"], options["noise_dir"], options["room_dir"]),
        seed=options["seed"],
    )
    directory = run_finetune(model, data, output, run, reading, device=device, tell=say)
    put(f"{directory}\n")
