"""What the commands about data and training share: options, and the check that PyTorch is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from uniasr.errors import MissingExtraError

_Command = TypeVar("_Command", bound=Callable[..., Any])


def need_torch() -> None:
    """Raise MissingExtraError where training cannot work."""
    try:
        import torch  # noqa: F401 - only to tell a missing PyTorch from other failures
    except ImportError as error:
        raise MissingExtraError("training needs PyTorch: pip install 'uniasr[train]'") from error


def say(line: str) -> None:
    """A line about the run, on standard error so that results stay alone on standard output."""
    click.echo(line, err=True)


def put(text: str) -> None:
    """Write a result to standard output."""
    from uniasr.cli.sinks import put as write  # brings numpy, which --help does without

    write(text)


def data_options(command: _Command) -> _Command:
    """Which recordings, and which of them can be used."""
    for option in (
        click.option("--skip-bad", is_flag=True, help="Leave out utterances that cannot be used instead of stopping."),
        click.option(
            "--max-seconds",
            type=float,
            default=60.0,
            show_default=True,
            metavar="S",
            help="Longer recordings count as faulty.",
        ),
        click.option(
            "--data",
            multiple=True,
            required=True,
            metavar="DIR",
            help="Folder with train/{wav.scp,text} and dev/{wav.scp,text}, or of a known corpus; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def augment_options(command: _Command) -> _Command:
    """How recordings are spoiled on purpose."""
    for option in (
        click.option("--room-dir", metavar="DIR", help="Room impulse responses to use."),
        click.option("--noise-dir", metavar="DIR", help="Noise recordings to add."),
        click.option(
            "--augment",
            default="light",
            show_default=True,
            metavar="none|light|full",
            help="light: speed and volume; full: noise, rooms and the telephone as well.",
        ),
    ):
        command = option(command)
    return command
