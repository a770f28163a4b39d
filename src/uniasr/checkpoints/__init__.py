"""Model directories: published layouts and our own, read into `ModelFiles`; weights read strictly."""

from __future__ import annotations

from pathlib import Path

from uniasr.checkpoints.files import ModelFiles
from uniasr.checkpoints.native import read_native, write_native
from uniasr.checkpoints.own_layout import is_native, need_directory, staged_directory
from uniasr.checkpoints.published import is_published, read_published
from uniasr.checkpoints.weights import load_strictly, read_state
from uniasr.errors import ModelError

__all__ = [
    "ModelFiles",
    "is_model_directory",
    "load_strictly",
    "read_model",
    "read_native",
    "read_published",
    "read_state",
    "staged_directory",
    "write_native",
]


def is_model_directory(directory: Path) -> bool:
    """Whether the directory has the files by which a model is recognised; they may still be damaged."""
    return is_native(directory) or is_published(directory)


def read_model(directory: Path) -> ModelFiles:
    """Read a model directory of any known layout.

    Raises ModelNotFoundError when there is no such directory, ModelError when it is no model or a damaged one.
    """
    need_directory(directory)
    if is_native(directory):
        return read_native(directory)
    if is_published(directory):
        return read_published(directory)
    raise ModelError(
        f"{directory} is no model directory. Looked for model.yaml (uniasr), "
        "config.yaml and configuration.json (published FunASR or ModelScope models)"
    )
