"""From the name of a model to a directory on this machine. The network is touched only when asked to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from uniasr.checkpoints import is_model_directory
from uniasr.checkpoints.documents import inside
from uniasr.errors import MissingExtraError, ModelError, ModelNotFoundError, OptionError
from uniasr.hub.caches import find_in_caches, huggingface_root, modelscope_roots

DEFAULT_MODEL = "ja"
DEFAULT_VAD = "vad"
DEFAULT_PUNCTUATION = "ja-punctuation"
DEFAULT_CONVERTER = "ja-written"
DEFAULTS = (DEFAULT_MODEL, DEFAULT_VAD, DEFAULT_PUNCTUATION, DEFAULT_CONVERTER)
"""What is loaded where no name is given."""

_HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)", re.ASCII)
_MODELSCOPE_OWNERS = ("damo", "iic")


def resolve(
    name: str | os.PathLike[str] | None = None, *, default: str = DEFAULT_MODEL, download: bool = False
) -> Path:
    """The model directory that a name means.

    Args:
        name: None for a packaged model; the name of a packaged model, which a local directory of that name does not
            hide (it is written `./ja`, or given as a Path); a local directory; or a hub id like `damo/<name>`, which
            is looked up in the local caches of ModelScope and the Hugging Face hub.
        default: the packaged model that None means.
        download: fetch a hub id that is in no cache, with whichever hub client is installed. UNIASR_OFFLINE and
            HF_HUB_OFFLINE forbid it.

    Raises ModelNotFoundError saying what to download and where to put it; ModelError when a download fails;
    MissingExtraError when a download needs a client that is not installed.
    """
    if name is None:
        return _packaged(default)
    if not isinstance(name, str | os.PathLike):
        raise OptionError(f"a model is named by {name!r:.60}; give a directory, a name, or None")
    text = str(name)
    packaged = packaged_models().get(text)
    if packaged is not None and isinstance(name, str):
        return packaged
    if (found := _local(name) or packaged) is not None:
        return found
    if not (match := _HUB_ID.fullmatch(text)):
        raise ModelNotFoundError(
            f"there is no model {text!r}: no directory of that name, and no packaged model "
            f"({', '.join(packaged_models()) or 'none is installed'}). "
            "A model from a hub is named organisation/name; `uniasr models` lists what is there"
        )
    organisation, model = match.groups()
    if found := find_in_caches(organisation, model):
        return found
    if download:
        return _download(organisation, model)
    raise ModelNotFoundError(
        f"{text} is no directory here and lies in no hub cache of this machine. {_advice(organisation, model)}"
    )


def named_part(card: Mapping[str, Any], part: str) -> object:
    """What the card of a model names as one of its `parts`, None where it names none."""
    parts = card.get("parts")
    return parts.get(part) if isinstance(parts, Mapping) else None


def resolve_part(name: object, model: Path | None) -> Path:
    """The directory of a part that the yaml of a model names: a packaged model, or a path inside the model's directory.

    What lies in the working directory or in a cache has no say: a model means the same wherever it is loaded. Raises
    ModelError for another name.
    """
    if isinstance(name, str) and (packaged := packaged_models().get(name)) is not None:
        return packaged
    path = None if model is None else inside(model, name, f"{model}: a name under 'parts'")
    if path is None or not path.is_dir():
        raise ModelNotFoundError(
            f"{model or 'the model'} names the part {name!r:.80}, which is no packaged model "
            f"({', '.join(packaged_models()) or 'none is installed'}) and no directory in it; choose one yourself"
        )
    return path


def packaged_models() -> dict[str, Path]:
    """The models that came with this installation, by name."""
    root = resources.files("uniasr") / "packaged"
    if not isinstance(root, Path) or not root.is_dir():
        return {}
    return {path.name: path for path in sorted(root.iterdir()) if path.is_dir() and is_model_directory(path)}


def _local(name: str | os.PathLike[str]) -> Path | None:
    """The name as an existing directory, or None."""
    if name == "":
        return None  # Path("") would be the current directory
    try:
        path = Path(name).expanduser()
        if path.is_dir():
            return path
        if path.exists():
            raise ModelError(f"{path} is a file; give the model's directory")
    except (OSError, RuntimeError) as error:  # no permission, too long, no such user
        raise ModelError(
            f"{str(name)!r:.200} cannot be looked up: {getattr(error, 'strerror', None) or error}"
        ) from error
    return None


def _packaged(name: str) -> Path:
    found = packaged_models().get(name)
    if found is None:
        raise ModelNotFoundError(
            f"the packaged model {name!r} is not part of this installation; "
            "install uniasr from a wheel, or name a model directory"
        )
    return found


def _advice(organisation: str, model: str) -> str:
    """What to type to get the model, and where a copy is looked for."""
    client, place = "modelscope", modelscope_roots()[0] / organisation / model
    if organisation not in _MODELSCOPE_OWNERS:
        client, place = "huggingface_hub", huggingface_root() / f"models--{organisation}--{model}"
    return (
        f"Download it once with `pip install {client} && uniasr models --download {organisation}/{model}`; it is then "
        f"found in {place}. Or copy its files anywhere and give that directory"
    )


def _download(organisation: str, model: str) -> Path:
    for variable in ("UNIASR_OFFLINE", "HF_HUB_OFFLINE"):
        if os.environ.get(variable, "").lower() not in ("", "0", "false", "no", "off"):
            raise ModelNotFoundError(
                f"{organisation}/{model} is in no cache of this machine, and {variable} forbids to download it"
            )
    clients = ["modelscope", "huggingface_hub"]
    if organisation not in _MODELSCOPE_OWNERS:
        clients.reverse()
    for client in clients:
        if (module := _client(client)) is not None:
            return _fetch(module, client, f"{organisation}/{model}")
    raise MissingExtraError(
        f"downloading {organisation}/{model} needs a hub client; install one with: pip install {clients[0]}"
    )


def _client(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        return None


def _fetch(module: Any, client: str, model_id: str) -> Path:
    try:
        return Path(module.snapshot_download(model_id))
    except Exception as error:  # the clients raise whatever their network libraries raise
        raise ModelError(f"{client} could not download {model_id}: {type(error).__name__}: {error}") from error
