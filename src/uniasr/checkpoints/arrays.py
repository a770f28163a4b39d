"""Arrays of model directories: `.npz` files, which hold nothing that could run and are small enough to be read."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from uniasr.errors import ModelError

MAX_BYTES = 256 * 2**20
"""Of all arrays together."""

Layout: TypeAlias = Mapping[str, tuple[type[np.generic], int]]
"""Type and number of axes of each array."""


def read_arrays(path: Path, layout: Layout) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file, of the right types and numbers of axes, none of them empty; raises ModelError."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ModelError(f"{path} holds more than {MAX_BYTES} bytes; no table of a model is so large")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in layout}
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; the model needs its tables") from error
    except KeyError as error:
        raise ModelError(f"{path} lacks an array ({error.args[0]}); fetch the model again") from error
    except ModelError:
        raise
    except Exception as error:  # what zipfile, zlib and numpy's header parser raise has no common parent
        raise ModelError(f"{path} cannot be read as arrays ({error}); fetch the model again") from error
    for name, (kind, axes) in layout.items():
        if arrays[name].dtype != kind or arrays[name].ndim != axes or not arrays[name].size:
            raise ModelError(f"{path}: {name} is {arrays[name].dtype} of shape {arrays[name].shape}; it makes no table")
    return arrays
