"""What the commands about data and training share: options, and the check that PyTorch is there."""

from __future__ import annotations

import click

from uniasr.cli.options import option_group
from uniasr.errors import MissingExtraError


def need_torch() -> None:
    """Raise MissingExtraError where training cannot work."""
    try:
        import torch  # noqa: F401 - only to tell a missing PyTorch from other failures
    except ImportError as error:
        raise MissingExtraError("training needs PyTorch: pip install 'uniasr[train]'") from error


def use_threads(threads: int | None) -> None:
    """Train with so many threads. Raises OptionError for a number that makes no sense."""
    import torch

    from uniasr.recognizers.runtime import check_threads

    check_threads(threads)
    if threads is not None:
        torch.set_num_threads(threads)


def say(line: str) -> None:
    """A line about the run, on standard error so that results stay alone on standard output."""
    click.echo(line, err=True)


def put(text: str) -> None:
    """Write a result to standard output."""
    from uniasr.cli.sinks import put as write  # brings numpy, which --help does without

    write(text)


data_options = option_group(
    click.option(
        "--data",
        multiple=True,
        required=True,
        metavar="DIR",
        help="Folder with train/{wav.scp,text} and dev/{wav.scp,text}, or of a known corpus; may be repeated.",
    ),
    click.option(
        "--max-seconds",
        type=float,
        default=60.0,
        show_default=True,
        metavar="S",
        help="Longer recordings count as faulty.",
    ),
    click.option("--skip-bad", is_flag=True, help="Leave out utterances that cannot be used instead of stopping."),
)
"""Which recordings, and which of them can be used."""

augment_options = option_group(
    click.option(
        "--augment",
        default="light",
        show_default=True,
        metavar="none|light|full",
        help="light: speed and volume; full: noise, rooms and the telephone as well.",
    ),
    click.option("--noise-dir", metavar="DIR", help="Noise recordings to add."),
    click.option("--room-dir", metavar="DIR", help="Room impulse responses to use."),
)
"""How recordings are spoiled on purpose."""
