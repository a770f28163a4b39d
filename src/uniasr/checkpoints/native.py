"""Our own model directory: `model.yaml`, `tokens.txt`, `am.mvn`, and `model.safetensors` or `*.onnx` graphs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import yaml

from uniasr.checkpoints.documents import read_yaml
from uniasr.checkpoints.files import ModelFiles, read_cmvn
from uniasr.configs.records import from_plain, to_plain
from uniasr.configs.uniasr import UniasrConfig
from uniasr.errors import MissingExtraError, ModelError, OutputError
from uniasr.text.vocabulary import Vocabulary, read_tokens

if TYPE_CHECKING:
    import torch

    from uniasr.features.cmvn import Cmvn
    from uniasr.types import F32

FAMILY = "uniasr"
FORMAT = 1
_OWN_NAMES = ("model.yaml", "tokens.txt", "am.mvn", "model.safetensors")


def is_native(directory: Path) -> bool:
    """Whether the directory is one of ours."""
    return (directory / "model.yaml").is_file()


def read_native(directory: Path) -> ModelFiles:
    """Read our own layout; raises ModelError naming the file and what is wrong with it."""
    path = directory / "model.yaml"
    description = read_yaml(path)
    for name, supported in (("family", FAMILY), ("format", FORMAT)):
        if description.get(name) != supported:
            raise ModelError(
                f"{path}: {name} is {description.get(name)!r:.60}; this version reads {supported!r}. "
                "A punctuation model is loaded with load_punctuator; a newer model needs a newer uniasr"
            )
    if unknown := sorted(set(description) - {"family", "format", "config", "card"}):
        raise ModelError(f"{path} has unknown entries {', '.join(unknown)}")
    card = description.get("card") or {}
    if not isinstance(card, Mapping):
        raise ModelError(f"{path}: card is {card!r:.60}; a mapping is needed")
    try:
        config = from_plain(UniasrConfig, description.get("config"), f"{path}: config")
    except (ArithmeticError, TypeError) as error:
        raise ModelError(f"{path}: config holds numbers that make no network ({error})") from error
    weights = directory / "model.safetensors"
    graphs = tuple(sorted(directory.glob("*.onnx")))
    if not weights.is_file() and not graphs:
        raise ModelError(f"{directory} has neither model.safetensors nor .onnx graphs; one of them is needed")
    return ModelFiles(
        directory=directory,
        config=config,
        tokens=read_tokens(directory / "tokens.txt"),
        cmvn=read_cmvn(directory / "am.mvn"),
        weights=weights if weights.is_file() else None,
        graphs=graphs,
        card={**card, "layout": "uniasr"},
    )


def write_native(
    directory: Path,
    config: UniasrConfig,
    tokens: Vocabulary,
    cmvn: Cmvn,
    *,
    state: Mapping[str, torch.Tensor] | None = None,
    files: Iterable[Path] = (),
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write a model directory, whole or not at all, and return it.

    Args:
        directory: where to; a model directory of ours there is replaced, anything else that is not empty is refused.
        config: the network and its modes.
        tokens: the vocabulary; a token with a line end is refused.
        cmvn: values for `config.frontend.feature_size` columns; read back, they have the same bits.
        state: the parameters of the torch network, written as model.safetensors.
        files: further files to copy under their own names: `.onnx` graphs and their data, a model card, a licence.
        card: plain values for the entry `card` of model.yaml.

    Raises OutputError when it cannot be written, ModelError when the parts do not make a model.
    """
    with staged_directory(directory) as staging:
        description = {"family": FAMILY, "format": FORMAT, "config": to_plain(config)}
        if card:
            description["card"] = to_plain(dict(card))
        text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True, width=120)
        (staging / "model.yaml").write_text(text, encoding="utf-8")
        if any("\n" in token or "\r" in token for token in tokens.tokens):
            raise ModelError("a token holds a line end; such a vocabulary cannot be written as tokens.txt")
        (staging / "tokens.txt").write_text(
            "".join(f"{token}\n" for token in tokens.tokens), encoding="utf-8", newline="\n"
        )
        (staging / "am.mvn").write_text(am_mvn_text(cmvn), encoding="ascii")
        if state is not None:
            write_state(staging / "model.safetensors", state)
        for file in files:
            if file.name in _OWN_NAMES:
                raise OutputError(f"{file} cannot be added to a model directory: the name is taken")
            shutil.copyfile(file, staging / file.name)
        read_native(staging)  # what we cannot read ourselves must not be left behind
    return directory


@contextmanager
def staged_directory(directory: Path) -> Iterator[Path]:
    """An empty directory beside `directory` that takes its place when the block ends without an error.

    Raises OutputError when `directory` holds something that is no model of ours, or when it cannot be written.
    """
    directory = directory.resolve()
    _refuse_foreign(directory)
    staging: Path | None = None
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        staging = _beside(directory)
        staging.mkdir()
        yield staging
        _swap(staging, directory)
    except OSError as error:
        if isinstance(error, OutputError | ModelError):
            raise
        raise OutputError(f"{directory} cannot be written: {error.strerror or error}") from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _refuse_foreign(directory: Path) -> None:
    if not directory.exists() and not directory.is_symlink():
        return
    if not directory.is_dir():
        raise OutputError(f"{directory} is no directory; choose another place for the model")
    if any(directory.iterdir()) and not is_native(directory):
        raise OutputError(f"{directory} is not empty and no model of uniasr; choose another place for the model")


def _swap(staging: Path, directory: Path) -> None:
    """Put the finished directory in place; the old one goes only when the new one stands."""
    if not directory.exists():
        staging.rename(directory)
        return
    old = _beside(directory)
    directory.rename(old)
    try:
        staging.rename(directory)
    except OSError:
        old.rename(directory)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _beside(directory: Path) -> Path:
    return directory.with_name(f".{directory.name}.{uuid4().hex}")


def am_mvn_text(cmvn: Cmvn) -> str:
    """CMVN in the text format of Kaldi's nnet1, as the published models have it."""
    size = cmvn.shift.shape[0]

    def line(values: F32) -> str:
        # str() of a numpy number is the shortest text that reads back to the same bits.
        return f"<LearnRateCoef> 0 [ {' '.join(str(value) for value in values)} ]"

    lines = ["<Nnet>", f"<Splice> {size} {size}", "[ 0 ]"]
    lines += [f"<AddShift> {size} {size}", line(cmvn.shift), f"<Rescale> {size} {size}", line(cmvn.scale), "</Nnet>"]
    return "\n".join(lines) + "\n"


def write_state(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a state dict as safetensors; raises MissingExtraError without that package."""
    try:
        from safetensors.torch import save_file
    except ImportError as error:
        raise MissingExtraError(
            'writing weights needs safetensors; install it with: pip install "uniasr[torch]"'
        ) from error
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, path)
