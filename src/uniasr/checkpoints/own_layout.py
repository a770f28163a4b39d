"""What every model directory of ours has, whatever its family: `model.yaml`, written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import yaml

from uniasr.checkpoints.documents import read_yaml
from uniasr.configs.records import to_plain
from uniasr.errors import MissingExtraError, ModelError, ModelNotFoundError, OutputError
from uniasr.graph_files import PACKED, graph_files

if TYPE_CHECKING:
    import torch

DESCRIPTION = "model.yaml"
WEIGHTS = "model.safetensors"
FORMAT = 1
_SUFFIXES = frozenset({".model", ".mvn", ".npz", ".onnx", ".safetensors"})
_STEMS = frozenset({"LICENSE", "README", "jieba_usr_dict", "model", "tokens"})
"""What model directories of ours hold: where there is anything else, it is not ours to remove."""


def is_native(directory: Path) -> bool:
    """Whether the directory is one of ours."""
    return (directory / DESCRIPTION).is_file()


def family_of(directory: Path) -> str | None:
    """The family that a directory of ours says it is of, None for others and where nobody can tell."""
    try:
        return read_yaml(directory / DESCRIPTION).get("family") if is_native(directory) else None
    except ModelError:
        return None  # whoever reads the model says what is wrong


def need_directory(directory: Path) -> None:
    """Raise ModelNotFoundError where there is no directory at all."""
    if not directory.is_dir():
        raise ModelNotFoundError(f"{directory} is no directory; a model is a directory with its files")


def weights_and_graphs(directory: Path, graph: str = "*") -> tuple[Path | None, tuple[Path, ...]]:
    """The file of the torch weights, or None, and the graphs by name; raises ModelError where there are neither."""
    weights, graphs = directory / WEIGHTS, graph_files(directory, graph)
    if not weights.is_file() and not graphs:
        raise ModelError(f"{directory} has neither {WEIGHTS} nor {graph}.onnx; one of them is needed")
    return weights if weights.is_file() else None, graphs


def read_description(directory: Path, family: str, kind: str) -> tuple[Any, dict[str, Any]]:
    """The plain configuration and the card of a directory; `kind` is what a model of the family is called.

    Raises ModelError naming the file and what is wrong with it.
    """
    path = directory / DESCRIPTION
    entries = read_yaml(path)
    for name, supported in (("family", family), ("format", FORMAT)):
        if entries.get(name) != supported:
            raise ModelError(
                f"{path}: {name} is {entries.get(name)!r:.60}; this version reads {supported!r} for {kind}. "
                "Each kind of model has its own load function; a newer format needs a newer uniasr"
            )
    if unknown := sorted(set(entries) - {"family", "format", "config", "card"}):
        raise ModelError(f"{path} has unknown entries {', '.join(unknown)}")
    card = entries.get("card") or {}
    if not isinstance(card, Mapping):
        raise ModelError(f"{path}: card is {card!r:.60}; a mapping is needed")
    return entries.get("config"), {**card, "layout": "uniasr"}


def description(family: str, config: object, card: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The entries of model.yaml; the layout that a card was read from is none of them."""
    kept = {name: value for name, value in (card or {}).items() if name != "layout"}
    about = {"card": to_plain(kept)} if kept else {}
    return {"family": family, "format": FORMAT, "config": to_plain(config), **about}


@contextmanager
def staged_model(
    directory: Path, entries: Mapping[str, Any], files: Iterable[Path], read: Callable[[Path], object]
) -> Iterator[Path]:
    """A directory to write a model to, which takes the place of `directory` at the end, whole or not at all.

    Args:
        directory: where to; a model directory of ours there is replaced, anything else that is not empty is refused.
        entries: of model.yaml, see `description`.
        files: further files to copy under their own names: graphs and their data, a model card, a licence.
        read: reads the finished directory, since what we cannot read ourselves must not be left behind.

    Raises OutputError when it cannot be written, and what `read` raises.
    """
    with staged_directory(directory) as staging:
        text = yaml.safe_dump(dict(entries), sort_keys=False, allow_unicode=True, width=120)
        (staging / DESCRIPTION).write_text(text, encoding="utf-8")
        yield staging
        for file in files:
            if file.name == WEIGHTS or (staging / file.name).exists():
                raise OutputError(f"{file} cannot be added to a model directory: the name is taken")
            shutil.copyfile(file, staging / file.name)
        read(staging)


@contextmanager
def staged_directory(directory: Path) -> Iterator[Path]:
    """An empty directory beside `directory` that takes its place when the block ends without an error.

    Raises OutputError when `directory` holds something that is no model of ours, or when it cannot be written.
    """
    directory = directory.resolve()
    with _directory_beside(directory) as staging:
        yield staging
        _swap(staging, directory)


def check_output(directory: Path) -> None:
    """Raise OutputError if `staged_directory` could not begin there: ahead of minutes of work, not behind them."""
    with _directory_beside(directory.resolve()):
        pass


@contextmanager
def _directory_beside(directory: Path) -> Iterator[Path]:
    """An empty directory that is removed behind the block; what fails in writing becomes an OutputError."""
    _refuse_foreign(directory)
    staging = _beside(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
        yield staging
    except OSError as error:
        if isinstance(error, OutputError | ModelError):
            raise
        raise OutputError(f"{directory} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _refuse_foreign(directory: Path) -> None:
    if not directory.exists() and not directory.is_symlink():
        return
    if not directory.is_dir():
        raise OutputError(f"{directory} is no directory; choose another place for the model")
    entries = sorted(directory.iterdir())
    if entries and not is_native(directory):
        raise OutputError(f"{directory} is not empty and no model of uniasr; choose another place for the model")
    for entry in entries:
        if entry.is_dir() or not (entry.suffix in _SUFFIXES or entry.name.endswith(PACKED) or entry.stem in _STEMS):
            raise OutputError(f"{directory} holds {entry.name}, which is no part of a model; choose another place")


def _swap(staging: Path, directory: Path) -> None:
    """Put the finished directory in place; the old one goes only when the new one stands."""
    if not directory.exists():
        staging.rename(directory)
        return
    old = _beside(directory)
    directory.rename(old)
    try:
        staging.rename(directory)
    except BaseException:  # Ctrl-C, too
        old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.{uuid4().hex}")


def write_tokens(path: Path, tokens: Sequence[str]) -> None:
    """Write a token a line; raises ModelError for one that holds a line end."""
    if any("\n" in token or "\r" in token for token in tokens):
        raise ModelError(f"a token holds a line end; such a list cannot be written as {path.name}")
    path.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8", newline="\n")


def write_state(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a state dict as safetensors; raises MissingExtraError without that package."""
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise MissingExtraError(
            'writing weights needs safetensors; install it with: pip install "uniasr[torch]"'
        ) from error
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, path)
