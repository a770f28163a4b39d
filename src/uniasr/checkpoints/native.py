"""Our own model directory: `model.yaml`, `tokens.txt`, `am.mvn`, and `model.safetensors` or graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniasr.checkpoints.files import ModelFiles, read_cmvn
from uniasr.checkpoints.own_layout import (
    DESCRIPTION,
    WEIGHTS,
    description,
    read_description,
    staged_model,
    weights_and_graphs,
    write_state,
    write_tokens,
)
from uniasr.configs.records import from_plain
from uniasr.configs.uniasr import UniasrConfig
from uniasr.text.vocabulary import Vocabulary, read_tokens

if TYPE_CHECKING:
    import torch

    from uniasr.features.cmvn import Cmvn
    from uniasr.types import F32

FAMILY = "uniasr"


def read_native(directory: Path) -> ModelFiles:
    """Read our own layout; raises ModelError naming the file and what is wrong with it."""
    path = directory / DESCRIPTION
    plain, card = read_description(directory, FAMILY, "a recogniser")
    config = from_plain(UniasrConfig, plain, f"{path}: config")
    weights, graphs = weights_and_graphs(directory)
    return ModelFiles(
        directory=directory,
        config=config,
        tokens=read_tokens(directory / "tokens.txt"),
        cmvn=read_cmvn(directory / "am.mvn"),
        weights=weights,
        graphs=graphs,
        card=card,
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
    with staged_model(directory, description(FAMILY, config, card), files, read_native) as staging:
        write_tokens(staging / "tokens.txt", tokens.tokens)
        (staging / "am.mvn").write_text(am_mvn_text(cmvn), encoding="ascii")
        if state is not None:
            write_state(staging / WEIGHTS, state)
    return directory


def am_mvn_text(cmvn: Cmvn) -> str:
    """CMVN in the text format of Kaldi's nnet1, as the published models have it."""
    size = cmvn.shift.shape[0]

    def line(values: F32) -> str:
        # str() of a numpy number is the shortest text that reads back to the same bits.
        return f"<LearnRateCoef> 0 [ {' '.join(str(value) for value in values)} ]"

    lines = ["<Nnet>", f"<Splice> {size} {size}", "[ 0 ]"]
    lines += [f"<AddShift> {size} {size}", line(cmvn.shift), f"<Rescale> {size} {size}", line(cmvn.scale), "</Nnet>"]
    return "\n".join(lines) + "\n"
