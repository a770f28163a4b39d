"""Shift and scale of every feature column, and the text file that published models keep them in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from uniasr.bounded import read_bounded
from uniasr.errors import ModelError, ModelNotFoundError
from uniasr.types import F32

_MAX_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Cmvn:
    """y = (x + shift) * scale, both float32 [feature_size]."""

    shift: F32
    scale: F32

    def apply(self, rows: F32) -> F32:
        """Normalised rows [R, feature_size]."""
        return (rows + self.shift) * self.scale


def read_am_mvn(path: str | Path) -> Cmvn:
    """Mean and variance normalisation from an `am.mvn` file, the text form of a Kaldi nnet.

    The values stand in brackets after `<AddShift>` and after `<Rescale>`. Line breaks and empty lines mean nothing.
    Raises ModelNotFoundError if the file does not exist, ModelError if it is cut, malformed, of unequal sizes, or
    holds values that are not finite. Source: funasr 1.4.16 wav_frontend.load_cmvn.
    """
    try:
        content = read_bounded(Path(path), _MAX_BYTES).decode("utf-8")
        words = content.replace("[", " [ ").replace("]", " ] ").split()
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"CMVN file {path} does not exist; the model directory is not complete") from error
    except ModelError:
        raise
    except (OSError, ValueError) as error:
        raise ModelError(f"CMVN file {path} cannot be read: {error}") from error
    shift, scale = _vector(words, "<AddShift>", path), _vector(words, "<Rescale>", path)
    if shift.shape != scale.shape:
        raise ModelError(f"CMVN file {path} has {len(shift)} shifts and {len(scale)} scales; the numbers must be equal")
    return Cmvn(shift, scale)


def _vector(words: list[str], tag: str, path: str | Path) -> F32:
    """Bracketed numbers of the component `tag`, as many as it announces."""
    try:
        after = words[words.index(tag) + 1 :]
        body = after[after.index("[") + 1 : after.index("]")]
        sizes = [int(word) for word in after[:2] if word.isdigit()]
        with np.errstate(over="ignore"):
            values = np.array([float(word) for word in body], np.float32)
    except ValueError as error:
        raise ModelError(f"CMVN file {path} is cut or malformed at {tag}: {error}; fetch the model again") from error
    if any(size != len(values) for size in sizes):
        raise ModelError(f"CMVN file {path} announces {sizes[0]} values at {tag} and holds {len(values)}")
    if len(values) == 0 or not np.isfinite(values).all():
        raise ModelError(
            f"CMVN file {path} holds no values at {tag}, or values that are not finite; fetch the model again"
        )
    return values
