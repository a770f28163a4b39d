"""State dicts from files, and into networks: all or nothing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uniasr.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import torch

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_SHOWN = 5


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file by parameter name, on the CPU.

    Reads `.safetensors` and what `torch.save` wrote, without running anything that a pickle asks for. A dict under
    "state_dict", "model_state_dict" or "model" is unwrapped and a "module." prefix taken off, as the published system
    does.

    Raises ModelError for anything else, MissingExtraError without PyTorch.
    """
    if not path.is_file():
        raise ModelError(f"{path} is missing; it should hold the weights of the model")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    for name in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    return _tensors(content, path)


CTC_HEADS = ("ctc.", "ctc2.")
"""Beginnings of the names of parameters that many models use in training only."""


def load_strictly(module: torch.nn.Module, state: Mapping[str, torch.Tensor], where: str) -> None:
    """Copy a state dict into a network in which every parameter must find its tensor, and every tensor its parameter.

    The only exception: `ctc.*` and `ctc2.*` entries are passed over when the network has no such part, because the
    published 0.x system saves training heads that recognition never uses.

    Raises ModelError naming the first missing, unexpected, mis-shaped or non-finite entries and their numbers; the
    network is then unchanged. `where` names the file.
    """
    wanted = module.state_dict()
    heads = tuple(head for head in CTC_HEADS if not any(name.startswith(head) for name in wanted))
    given = {name: tensor for name, tensor in state.items() if not name.startswith(heads)} if heads else dict(state)
    both = [name for name in wanted if name in given]
    wrong_shape = [name for name in both if given[name].shape != wanted[name].shape]
    fitting = [name for name in both if name not in wrong_shape]  # others may claim any size
    complaints = [
        _complaint("missing", [name for name in wanted if name not in given]),
        _complaint("unexpected", [name for name in given if name not in wanted]),
        _complaint(
            "of another shape",
            [f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}" for name in wrong_shape],
        ),
        _complaint("not finite", [name for name in fitting if not bool(given[name].isfinite().all())]),
    ]
    if found := [complaint for complaint in complaints if complaint]:
        raise ModelError(f"{where} does not fit the network: {'; '.join(found)}")
    module.load_state_dict(given)


def _read_torch(path: Path) -> Any:
    library = _import("torch")
    with path.open("rb") as file:
        head = file.read(2)
    is_zip = head == b"PK"
    if not is_zip and head[:1] != b"\x80":
        raise ModelError(
            f"{path} is no PyTorch file. Weights from TensorFlow (.bin graphs, .ckpt checkpoints) cannot be read: "
            "convert the model with its own tools first, or use the PyTorch version of it"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on the pickle's age are of no use to the reader of our errors
            return library.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except Exception as error:  # damaged files make torch raise nearly anything
        raise ModelError(f"{path} {_torch_complaint(error)}") from None


def _torch_complaint(error: Exception) -> str:
    if "weights_only" in str(error) or "Unsupported global" in str(error):
        return "holds more than tensors, or is damaged; save a plain state dict (torch.save(model.state_dict(), path))"
    return f"is damaged or incomplete ({type(error).__name__}); copy it again"


def _read_safetensors(path: Path) -> Any:
    load_file = _import("safetensors.torch").load_file
    try:
        return load_file(path, device="cpu")
    except Exception as error:
        raise ModelError(f"{path} is damaged or no safetensors file ({type(error).__name__}); copy it again") from None


def _tensors(content: Any, path: Path) -> dict[str, torch.Tensor]:
    tensor_type = _import("torch").Tensor
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path} holds no state dict but {type(content).__name__}; it should map names to tensors")
    state: dict[str, torch.Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, tensor_type):
            raise ModelError(f"{path}: {name!r:.80} is no tensor but {type(value).__name__}; a state dict is needed")
        state[name.removeprefix("module.")] = value
    if len(state) != len(content):
        raise ModelError(f"{path} holds the same parameter with and without the prefix 'module.'")
    return state


def _complaint(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"


def _import(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f'reading weights needs {name.split(".")[0]}; install it with: pip install "uniasr[torch]"'
        ) from error
