"""Where the hub clients keep what they have downloaded. Only looks; never creates or downloads anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from uniasr.checkpoints import is_model_directory

# The same models live under both names: damo was the organisation's first one on ModelScope.
_ALIASES = {"damo": "iic", "iic": "damo"}


def find_in_caches(organisation: str, name: str) -> Path | None:
    """The directory of a downloaded model, or None; ModelScope's cache comes first."""
    candidates = [*_modelscope_candidates(organisation, name), *_huggingface_candidates(organisation, name)]
    return next((path for path in candidates if is_model_directory(path)), None)


def modelscope_roots() -> list[Path]:
    """Directories that may hold `<organisation>/<name>` of ModelScope, likeliest first."""
    chosen = os.environ.get("MODELSCOPE_CACHE")
    root = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "modelscope"
    # Releases before 1.15 keep models in <cache> itself (by default ending in hub), later ones in <cache>/hub/models.
    return [root / inner for inner in ("hub/models", "models", "hub", "")]


def huggingface_root() -> Path:
    """The directory that holds `models--<organisation>--<name>` of the Hugging Face hub."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if chosen := os.environ.get(variable):
            return Path(chosen).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache).expanduser() if cache else Path.home() / ".cache") / "huggingface" / "hub"


def _modelscope_candidates(organisation: str, name: str) -> Iterator[Path]:
    for root in modelscope_roots():
        for owner in (organisation, _ALIASES.get(organisation)):
            for spelling in dict.fromkeys((name, name.replace(".", "___"))):
                if owner:
                    yield root / owner / spelling


def _huggingface_candidates(organisation: str, name: str) -> Iterator[Path]:
    for owner in (organisation, _ALIASES.get(organisation)):
        if owner is None:
            continue
        model = huggingface_root() / f"models--{owner}--{name}"
        if (revision := _revision(model)) is not None:
            yield model / "snapshots" / revision


def _revision(model: Path) -> str | None:
    """The snapshot that `main` means; without that reference, the only one there is."""
    try:
        name = (model / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        try:
            snapshots = [path.name for path in (model / "snapshots").iterdir()]
        except OSError:
            return None
        return snapshots[0] if len(snapshots) == 1 else None
    return name if name.isalnum() else None
